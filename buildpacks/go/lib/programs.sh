# shellcheck shell=bash disable=SC2154 # what bin/compile sets
# What is built: the main packages that the app names, or all that it has.

# Sets `patterns`: the packages to install, and `patterns_from`.
choose_packages() { # choose_packages APP ENV_DIR
  local named use
  patterns=()
  named=$(config_value "$2" GO_INSTALL_PACKAGE_SPEC)
  patterns_from="the config var GO_INSTALL_PACKAGE_SPEC"
  if [ -z "$named" ] && [ -f "$1/go.mod" ]; then
    named=$(python3 "$pack/lib/versions.py" directive "$1/go.mod" install)
    patterns_from="go.mod (// +heroku install)"
  fi
  if [ -n "$named" ]; then
    read -ra patterns <<<"${named//,/ }"
    return
  fi
  patterns_from=
  if [ -f "$1/go.work" ]; then
    mapfile -t uses < <(go work edit -json | jq -r '.Use[]?.DiskPath')
    for use in "${uses[@]}"; do patterns+=("./${use#./}/..."); done
  else
    patterns=(./...)
  fi
}

# Prints PACKAGE and PROGRAM, tab between them, of the main packages among the patterns.
list_programs() {
  go list -find "${flags[@]}" -f '{{if eq .Name "main"}}{{.ImportPath}}{{"\t"}}{{.Target}}{{end}}' "$@" |
    sed -E '/^$/d; s#\t.*/#\t#'
}

# Sets `packages` and `programs`, pairwise.
find_programs() {
  local found package program
  found=$(list_programs "${patterns[@]}" 2>/tmp/list.log) || {
    indent </tmp/list.log
    explain_failure /tmp/list.log
  }
  packages=() programs=()
  while IFS=$'\t' read -r package program; do
    [ -n "$package" ] || continue
    [[ " ${programs[*]} " != *" $program "* ]] ||
      fail "Two packages make a program called $program, one of them $package: name the ones to build in go.mod." \
        "For example: // +heroku install ./cmd/$program"
    packages+=("$package") programs+=("$program")
  done <<<"$found"
  if [ ${#packages[@]} -gt 0 ]; then return; fi
  if [ -n "$patterns_from" ]; then
    fail "No main package is among ${patterns[*]}, which $patterns_from names."
  fi
  fail "No main package is in this module: there is nothing to run." \
    "A program is a folder of .go files that begin with \"package main\"; the others are libraries."
}

# Whether all programs count the dyno's processors by themselves: those of Go 1.25 and newer do, where the module says
# "go 1.25" or newer. Before that they keep to what Go did then (GODEBUG containermaxprocs=0).
count_processors() {
  local minor=${release#1.}
  ((${minor%%[!0-9]*} >= 25)) && [[ $(go list -f '{{.DefaultGODEBUG}}' "${flags[@]}" "${packages[@]}") != *containermaxprocs=0* ]]
}

# What to do about the commonest failures, after Go's own words.
explain_failure() { # explain_failure LOG
  if grep -qE 'missing go\.sum entry|updates to go\.(mod|sum) needed|no required module provides' "$1"; then
    fail "go.mod and go.sum do not have all that the sources import; see above." \
      "Run \"go mod tidy\", commit go.mod and go.sum, and push again."
  elif grep -q 'checksum mismatch' "$1"; then
    fail "A module is not the one that go.sum names; see above. It is not built." \
      "When you know why it changed: run \"go clean -modcache && go mod tidy\", commit go.sum, and push again."
  elif grep -q 'inconsistent vendoring' "$1"; then
    fail "vendor/ is not what go.mod asks for; see above. Run \"go mod vendor\", commit vendor/, and push again."
  elif grep -qE 'requires go >= |but go\.work lists go' "$1"; then
    fail "A newer Go is needed than Go $release; see above. It is chosen by the lines \"go\" and \"toolchain\" in go.mod."
  elif explain_native_code "$1"; then
    exit 1
  elif grep -qE 'module lookup disabled|dial tcp|no such host|410 Gone|404 Not Found|terminal prompts disabled|unrecognized import path' "$1"; then
    fail "A module can't be fetched; see above." \
      "A private one needs its source or a password: skiff config:set GOPRIVATE=<host/path> GO_GIT_CRED__HTTPS__<HOST>=<user:token>, or GOPROXY."
  fi
  fail "Go's own words stand above."
}
