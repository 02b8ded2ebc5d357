# shellcheck shell=bash disable=SC2154 # what bin/compile sets
# load_config ENV_DIR APP: the app's config vars become the environment of the build, and with them all of Go's own
# variables (GOFLAGS, GOPROXY, GOPRIVATE, GOSUMDB, CGO_CFLAGS, ...).

# What decides where this buildpack's own things lie, and what would change its tools.
KEPT_FROM_CONFIG=' PATH HOME TMPDIR IFS CDPATH ENV BASH_ENV SHELLOPTS BASHOPTS PS4 GIT_DIR GIT_WORK_TREE LD_PRELOAD LD_LIBRARY_PATH PYTHONPATH
 PYTHONHOME PORT GOROOT GOPATH GOBIN GOCACHE GOMODCACHE GOTOOLCHAIN GOOS GOARCH GOENV GOTMPDIR GO111MODULE GOVERSION '

load_config() {
  local file name value
  for file in "$1"/*; do
    name=${file##*/}
    [[ $name =~ ^[A-Za-z_][A-Za-z0-9_]*$ && ! $KEPT_FROM_CONFIG =~ [[:space:]]"$name"[[:space:]] && -f $file ]] || continue
    value=$(cat -- "$file")
    # As on Heroku: headers in a folder of the app are named by ${build_dir}.
    [[ $name != CGO_* ]] || value=${value//'${build_dir}'/$2}
    export "$name=$value"
  done
}

# The value of a config var without the spaces around it; nothing when it is not set.
config_value() { # config_value ENV_DIR NAME
  [ ! -f "$1/$2" ] || tr -d '\r' <"$1/$2" | sed -E 's/^[[:space:]]+//; s/[[:space:]]+$//' | head -n 1
}

# Passwords of private modules: GO_GIT_CRED__HTTPS__GITHUB__COM=user:token, as on Heroku, for git; NETRC may hold the
# text of a .netrc instead of its path, for module proxies.
set_credentials() { # set_credentials PACK
  export GIT_TERMINAL_PROMPT=0 # nobody could answer
  if compgen -e | grep -q '^GO_GIT_CRED__'; then
    export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=credential.helper GIT_CONFIG_VALUE_0="!bash $1/lib/git_credential.sh"
  fi
  if [[ ${NETRC:-} == *machine\ * ]]; then
    local text=$NETRC
    NETRC=$(mktemp)
    export NETRC
    printf '%s\n' "$text" >"$NETRC"
  fi
}
