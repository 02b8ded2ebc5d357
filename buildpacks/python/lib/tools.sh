# shellcheck shell=bash disable=SC2034,SC2154 # what bin/compile and the other parts set
# The package managers themselves, from the Python package index, each version and hash in requirements/. They stay in the
# cache, outside of the app.
uv=

# The pip that Debian's python3-venv holds for new environments; it fetches the others.
stacks_pip() {
  /usr/bin/python3 "$(echo /usr/share/python-wheels/pip-*.whl)/pip" "$@"
}

tool_version() { # tool_version NAME
  sed -nE "s/^$1==([^ ;]+).*/\1/p" "$pack/requirements/$1.txt"
}

install_tool() { # install_tool pip|uv|poetry|pipenv
  local name=$1 version place
  version=$(tool_version "$name")
  place=$cache/tools/$name-$version
  if [ ! -d "$place" ]; then
    step "Installing $name $version"
    rm -rf "$cache/tools/$name"-* # of another version, or half of one
    mkdir -p "$place.part"
    if [ "$name" = pip ]; then
      fetch_tool "$name" download -d "$place.part"
    else
      /usr/bin/python3 -m venv --without-pip "$place.part"
      fetch_tool "$name" --python "$place.part/bin/python" install --no-compile
    fi
    mv "$place.part" "$place"
  fi
  case $name in
    pip) pip_wheel=$(echo "$place"/pip-*.whl) ;;
    uv) uv=$place/bin/uv ;;
  esac
}

fetch_tool() { # fetch_tool NAME PIP-ARGUMENTS...
  local name=$1
  shift
  PIP_CONSTRAINT='' PIP_NO_CACHE_DIR=1 stacks_pip "$@" --no-deps --only-binary :all: --require-hashes --no-input --disable-pip-version-check \
    --progress-bar off -r "$pack/requirements/$name.txt" >/tmp/tool.log 2>&1 || {
    show </tmp/tool.log
    refuse "$name can't be fetched; see above. Its version and hashes are fixed, so a mirror (PIP_INDEX_URL) must have the same file."
  }
}

# Scripts in a tool's virtual environment name the folder in which it was made.
run_tool() { # run_tool NAME ARGUMENTS...
  local name=$1
  shift
  "$cache/tools/$name-$(tool_version "$name")/bin/python" -m "$name" "$@"
}
