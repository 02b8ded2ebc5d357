# shellcheck shell=bash
# shellcheck disable=SC2154 # of prepare.py and compile: cache, lock, manager, manager_version, node_version, scripts
# node_modules from push to push: taken over when nothing changed that they are made of, and never of another age then.

# Config vars that decide what a package manager installs, or how native code is compiled.
deciding_variables() {
  compgen -e | sort | while read -r name; do
    case $name in NODE_ENV | [Nn][Pp][Mm]_* | YARN_* | [Pp][Nn][Pp][Mm]_* | C*FLAGS | LDFLAGS | CC | CXX) printf '%s=%s\n' "$name" "${!name}" ;; esac
  done
}

# What node_modules follow from: the lock, all package.json, settings, Node.js, the package manager, and Debian's packages.
modules_key() {
  {
    echo "$node_version $manager $manager_version $(uname -m)"
    deciding_variables
    cat Aptfile 2>/dev/null || :
    find . \( -name node_modules -o -name .git -o -path ./.heroku \) -prune -o \
      \( -name package.json -o -name .npmrc -o -name .yarnrc -o -name .yarnrc.yml -o -name pnpm-workspace.yaml -o -path "./${lock:-package.json}" -o -path '*/patches/*' -o -path './.yarn/patches/*' \) \
      -type f -print0 | sort -z | xargs -0 -r sha256sum
  } | sha256sum | cut -d' ' -f1
}

# All folders node_modules that are the app's own or those of its workspaces.
list_modules() {
  find . \( -path ./.heroku -o -name .git \) -prune -o -name node_modules \( -type d -o -type l \) -prune -printf '%P\n' | sort
}

# Scripts that a package manager runs as part of an installation may do more than fill node_modules.
installs_by_itself() {
  [ "${NODE_MODULES_CACHE:-true}" = false ] || [ -z "$lock" ] || [ -f .pnp.cjs ] || [ -f binding.gyp ] ||
    find . \( -path ./.heroku -o -name node_modules -o -name .git \) -prune -o -name package.json -print0 |
    xargs -0 grep -lE '"(preinstall|install|postinstall|prepare|preprepare|postprepare)" *:' >/dev/null 2>&1
}

drop_modules() {
  list_modules | while IFS= read -r folder; do rm -rf "./$folder"; done
}

copy_modules() { # copy_modules FROM TO: the folders that FROM/list names
  [ ! -s "$1/list" ] || tar -C "$1" -cf - -T "$1/list" | tar -C "$2" -xpf -
}

restored=
restore_modules() {
  key=$(modules_key)
  ! installs_by_itself && [ "$(cat "$cache/installed/key" 2>/dev/null)" = "$key" ] || return 1
  drop_modules
  copy_modules "$cache/installed" . || { # errexit does not hold in a condition
    drop_modules
    return 1
  }
  restored=yes
}

# keep_in NAME: the folders node_modules, as CACHE/NAME. Without its key a folder is nothing that a build takes: it goes first
# and comes last, so that a build that is killed leaves no half of one under it.
keep_in() {
  rm -f "$cache/$1/key"
  rm -rf "${cache:?}/$1"
  mkdir -p "$cache/$1"
  list_modules >"$cache/$1/list"
  [ ! -s "$cache/$1/list" ] || tar -cf - -T "$cache/$1/list" | tar -C "$cache/$1" -xpf -
  printf '%s' "$key" >"$cache/$1/key"
}

keep_modules() {
  if installs_by_itself; then rm -rf "$cache/installed"; else keep_in installed; fi
}

keeps_development() { # as Heroku: with another NODE_ENV, or when the app says so
  without_development || [ "$NODE_ENV" != production ] || [ "${NPM_CONFIG_PRODUCTION:-}" = false ] || [ "${YARN_PRODUCTION:-}" = false ] ||
    [ "${YARN2_SKIP_PRUNING:-}" = true ] || [ "${PNPM_SKIP_PRUNING:-}" = true ]
}

prune_command() {
  case $manager in
    npm) command=(prune --omit=dev --ignore-scripts) ;;
    yarn) command=(install --production --ignore-scripts --ignore-engines --prefer-offline --non-interactive ${lock:+--frozen-lockfile}) ;;
    berry) command=(workspaces focus --all --production) ;;
    pnpm) # its own prune leaves what workspaces have
      command=(prune --prod)
      [ -z "$lock" ] || command=(install --prod --frozen-lockfile --ignore-scripts --prefer-offline) ;;
  esac
}

# Yarn 2 and 3 have it by a plugin alone.
can_focus() { yarn workspaces focus --help >/dev/null 2>&1; }

builds() { has_script build || has_script heroku-postbuild; }

prune_dependencies() {
  local command
  [ -n "$depends" ] || return 0
  if [ -n "$restored" ] && ! builds && [ "$(cat "$cache/pruned/key" 2>/dev/null)" = "$key" ]; then
    drop_modules
    copy_modules "$cache/pruned" .
    return 0
  fi
  if [ "$manager" = berry ] && [ -f .pnp.cjs ]; then
    echo "       Plug'n'Play: packages for development stay in .yarn/cache"
  elif [ "$manager" = berry ] && ! keeps_development && ! can_focus; then
    echo " !     Packages for development stay: this Yarn removes them with a plugin that the app does not have."
    echo "       Add it, or go to Yarn 4: yarn plugin import workspace-tools"
  elif ! keeps_development; then
    prune_command
    echo "-----> Removing packages for development: ${manager/berry/yarn} ${command[*]}"
    run_package_manager "${command[@]}" || {
      explain_failure /tmp/manager.log
      exit 1
    }
  fi
  same_as_before
}

# Files that did not change keep their times, so the layer of node_modules stays the one of the push before. pnpm writes
# the time of day into notes of its own.
same_as_before() {
  local folder notes=()
  [ "$(cat "$cache/pruned/key" 2>/dev/null)" != "$key" ] || notes=(--exclude=/.modules.yaml --exclude='/.pnpm-workspace-state*')
  rm -f "$cache/pruned/key"
  list_modules >/tmp/modules
  comm -23 "$cache/pruned/list" /tmp/modules 2>/dev/null | while IFS= read -r folder; do rm -rf "$cache/pruned/$folder"; done || : # of workspaces that went
  while IFS= read -r folder; do
    mkdir -p "$cache/pruned/$folder"
    rsync -rlpc --delete "${notes[@]}" "./$folder/" "$cache/pruned/$folder/"
  done </tmp/modules
  while IFS= read -r folder; do rm -rf "./$folder"; done </tmp/modules
  mv /tmp/modules "$cache/pruned/list" 2>/dev/null || return 0 # no folders: nothing was installed
  printf '%s' "$key" >"$cache/pruned/key"
  copy_modules "$cache/pruned" .
}
