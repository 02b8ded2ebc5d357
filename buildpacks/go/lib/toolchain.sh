# shellcheck shell=bash disable=SC2154 # what bin/compile sets
# Brings the Go that an app asks for. Releases are modules (golang.org/toolchain), as Go's own GOTOOLCHAIN takes them, so
# Debian's Go fetches them like any module: from GOPROXY, and verified against the checksum database (GOSUMDB).

DEBIAN_GO=/usr/lib/go-1.19/bin/go
TOOLCHAIN_MODULE=golang.org/toolchain
LIST_MINUTES=1440 # which release is the newest is asked once a day
FETCH_SECONDS=600

platform() { echo "linux-$(dpkg --print-architecture)"; }

debian_release() { "$DEBIAN_GO" env GOVERSION | sed 's/^go//'; }

# Debian's Go in a module of its own: the app's go.mod, its workspace and its flags are for another Go.
run_bootstrap() { # run_bootstrap GOMODCACHE ARGUMENTS...
  local modules=$1 folder
  shift
  folder=$(mktemp -d)
  printf 'module bootstrap\n' >"$folder/go.mod"
  (cd "$folder" && GOWORK=off GOFLAGS=-modcacherw GOMODCACHE=$modules GOPATH=$folder/path GOCACHE=$folder/built \
    timeout "$FETCH_SECONDS" "$DEBIAN_GO" "$@")
}

# Fills $store/releases with what the module proxy lists, newest last, unless that was done lately.
list_releases() { # list_releases STORE
  local store=$1
  [ -z "$(find "$store/releases" -mmin "-$LIST_MINUTES" -size +0 2>/dev/null)" ] || return 0
  run_bootstrap "$store/list" list -m -versions "$TOOLCHAIN_MODULE" 2>/tmp/releases.log | tr ' ' '\n' |
    sed -nE "s/^v0\.0\.1-go([0-9.a-z]+)\.$(platform)\$/\1/p" >"$store/releases.part" || true
  rm -rf "$store/list"
  if [ -s "$store/releases.part" ]; then
    mv "$store/releases.part" "$store/releases"
  elif [ ! -s "$store/releases" ]; then # an old list is better than none
    ls "$store/toolchains" >"$store/releases" 2>/dev/null || true
    [ -s "$store/releases" ] || {
      rm -f "$store/releases"
      indent </tmp/releases.log
      fail "Which releases of Go there are can't be asked of the module proxy; its answer stands above." \
        "Another proxy is set with: skiff config:set GOPROXY=<address>"
    }
  fi
}

# A module has neither files called go.mod in its folders nor executable bits: both come back here, as Go does it.
repair_toolchain() { # repair_toolchain FOLDER
  local file
  while IFS= read -r -d '' file; do mv "$file" "${file%/_go.mod}/go.mod"; done < <(find "$1" -name _go.mod -print0)
  chmod -R u+w "$1"
  find "$1/bin" "$1/pkg/tool" -type f -exec chmod 755 {} +
}

# Unpacks a release once into STORE/toolchains, and forgets the others: one app needs one.
fetch_toolchain() { # fetch_toolchain STORE RELEASE WHERE
  local store=$1 release=$2 module
  module="$TOOLCHAIN_MODULE@v0.0.1-go$release.$(platform)"
  say_step "Fetching Go $release"
  # Renamed first: half of one that was being removed would be taken for whole.
  rm -rf "$store/old" "$store/fetch"
  [ ! -d "$store/toolchains" ] || mv "$store/toolchains" "$store/old"
  rm -rf "$store/old"
  mkdir -p "$store/toolchains"
  run_bootstrap "$store/fetch" mod download "$module" 2>&1 | indent ||
    fail "Go $release can't be fetched; why stands above." "$3 asks for it."
  repair_toolchain "$store/fetch/$module"
  mv "$store/fetch/$module" "$store/toolchains/$release"
  rm -rf "$store/fetch"
}

# Sets `release` and `goroot`, and says what was chosen and why.
use_toolchain() { # use_toolchain STORE APP ENV_DIR
  local store=$1 wanted kind version where
  wanted=$(python3 "$pack/lib/versions.py" wanted "$2" "$3") || { echo "$wanted" && exit 1; }
  IFS=$'\t' read -r kind version where <<<"$wanted"
  mkdir -p "$store"
  if [[ $kind =~ ^(exact|least)$ && $version == *.*.* && -d $store/toolchains/$version ]]; then
    release=$version
  else
    list_releases "$store"
    # Debian's own is old: only who asks for it gets it.
    release=$({ cat "$store/releases" && { [[ $kind == least || $kind == newest ]] || debian_release; }; } |
      python3 "$pack/lib/versions.py" choose "$kind" "$version" "$where") || { echo "$release" && exit 1; }
  fi
  goroot=$store/toolchains/$release
  if [ "$release" = "$(debian_release)" ]; then goroot=${DEBIAN_GO%/bin/go}; fi
  [ -x "$goroot/bin/go" ] || fetch_toolchain "$store" "$release" "$where"
  case $kind in
    newest) say_step "Using Go $release, the newest: nothing asks for a version" ;;
    *) say_step "Using Go $release: $where" ;;
  esac
  if [ "$kind" = least ] && [[ $release != "$version" && $release != "$version".* ]]; then
    indent <<<"Go $version itself can't be had; a newer release builds what an older one did."
  fi
}
