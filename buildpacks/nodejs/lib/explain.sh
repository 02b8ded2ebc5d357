# shellcheck shell=bash
# shellcheck disable=SC2154 # what prepare.py wrote
# What the failures of package managers mean, and what to do.

no_access='\bE40[13]\b|YN0041|ERR_PNPM_FETCH_40[13]|Unauthenticated|authentication token not provided|401 Unauthorized|403 Forbidden'
no_package='\bE404\b|404 Not Found|Couldn.t find package|ETARGET|No matching version|ERR_PNPM_FETCH_404|ERR_PNPM_NO_MATCHING_VERSION|YN0035|YN0082'
no_variable='Failed to replace env in config|Environment variable not found'

refuse() { printf ' !     %s\n' "$@"; }

# The first config var that the settings of the package managers read, and that is not set.
unset_variable() {
  local name
  while read -r name; do [ -n "${!name+set}" ] || { echo "$name" && return; }; done \
    < <(grep -ohP '\$\{\K[A-Za-z_]\w*(?=\})' .npmrc .yarnrc .yarnrc.yml 2>/dev/null)
  return 1
}

explain_failure() { # explain_failure LOG
  local name
  echo
  if grep -qE "$no_access|$no_package|$no_variable" "$1" && name=$(unset_variable); then
    refuse "The settings of ${manager/berry/yarn} read $name, which is not set: skiff config:set $name=<value>"
  elif grep -qE 'can only install packages when your package.json and|EUSAGE|Your lockfile needs to be updated|YN0028|ERR_PNPM_OUTDATED_LOCKFILE|would have been (modified|created)' "$1"; then
    refuse "The lock file $lock does not fit package.json: one of them changed and the other did not." \
      "Run \`${manager/berry/yarn} install\`, then commit $lock."
  elif grep -qE "$no_access" "$1"; then
    refuse "The registry wants to know who asks: put the token into a config var (skiff config:set NPM_TOKEN=...)" \
      "and //HOST/:_authToken=\${NPM_TOKEN} into .npmrc."
  elif grep -qE "$no_package" "$1"; then
    refuse "The registry has no such package or version: see the name above. A private one needs a registry and a token in .npmrc."
  elif explain_native_code "$1"; then
    :
  elif grep -q "find a script name \"node-gyp\"" "$1"; then
    refuse "A package is compiled here with node-gyp, which Yarn does not bring: yarn add node-gyp, and commit package.json and $lock."
  elif grep -qE 'node-gyp|gyp ERR' "$1"; then
    refuse "A package with native code could not be compiled for Node.js $node_version: the compiler's words stand above."
  elif grep -qE 'ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET|YN0001.*RequestError' "$1"; then
    refuse "Something could not be fetched: see the address above. A package whose installation downloads from a server of" \
      "its own needs that server, or a mirror that its documentation names for an environment variable (skiff config:set)."
  elif grep -qE 'YN0018' "$1"; then
    refuse "A package is not what $lock says that it is: its hash is another one."
  elif grep -qE 'EINTEGRITY|Integrity check failed|ERR_PNPM_TARBALL_INTEGRITY' "$1"; then
    refuse "A package is not what $lock says that it is: its hash is another one. Was the lock file edited by hand?"
  else
    refuse "${manager/berry/yarn} failed; its own words stand above."
  fi
}
