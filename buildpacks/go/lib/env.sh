# shellcheck shell=bash disable=SC2154 # what bin/compile sets
# The app's config vars as the environment of the build, and the passwords of private modules.

# What decides where this buildpack's own things lie, and what is another Go's.
KEPT_FROM_CONFIG=(PORT PYTHONPATH GOROOT GOPATH GOBIN GOCACHE GOMODCACHE GOTOOLCHAIN GOOS GOARCH GOENV GOTMPDIR GO111MODULE GOVERSION)

# load_config ENV_DIR APP: with the config vars come all of Go's own variables (GOFLAGS, GOPROXY, GOPRIVATE, GOSUMDB, ...).
load_config() {
  local name
  export_config_vars "$1" "${KEPT_FROM_CONFIG[@]}"
  # As on Heroku: headers in a folder of the app are named by ${build_dir}.
  for name in "${!CGO_@}"; do export "$name=${!name//'${build_dir}'/$2}"; done
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
