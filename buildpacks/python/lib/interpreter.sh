# shellcheck shell=bash disable=SC2154 # what bin/compile and the other parts set
# Which Python the app runs on, and where it comes from: the stack's own; what uv knows and can fetch; or a build that the
# Maven repository has.
fetch_seconds=300 # an interpreter has 20 to 60 MB

# Sets python_version (3.12.4), python_origin (the file that asks), python_source (debian, uv, maven) and `python`.
choose_python() { # choose_python APP MANAGER CACHE
  local answer request
  answer=$(/usr/bin/python3 "$pack/lib/choose_version.py" "$1" "$2" "$pack/lib/pythons.tsv") || exit 1
  { read -r request && read -r python_version && read -r python_source && read -r python_origin; } <<<"$answer"
  case $python_origin in
    default) step "No Python version is asked for: Python $python_version, the stack's own" ;;
    *) step "Using Python $request, which $python_origin asks for" ;;
  esac
  [ "$python_origin" != runtime.txt ] || warn "runtime.txt is deprecated: write \"$request\" into a .python-version instead, and remove it."
  python=/usr/bin/python3 interpreter=
  [ "$python_source" = debian ] || fetch_python "$request" "$3"
}

# What a kept Python follows from: which patch release "3.12" is follows from the version of uv, and from pythons.tsv.
python_key() { # python_key REQUEST
  echo "$1 ${UV_PYTHON_INSTALL_MIRROR:-} uv $(tool_version uv), $python_version"
}

# Another Python than the stack's lies in the app, in .heroku/cpython, since the app runs with it.
fetch_python() { # fetch_python REQUEST CACHE
  interpreter=$app/.heroku/cpython
  local kept=$2/cpython key
  key=$(python_key "$1")
  if [ "$(cat "$kept/request" 2>/dev/null)" != "$key" ]; then
    rm -rf "$kept" "$kept.part"
    mkdir -p "$kept.part"
    fetch_uv_python "$1" "$kept.part" || fetch_maven_python "$kept.part" || refuse_python "$1"
    "$kept.part/python/bin/python3" -m compileall -q -j 0 "$kept.part"/python/lib/python3* >/tmp/compile.log 2>&1 || true # lib2to3 has bad files
    echo "$key" >"$kept.part/request"
    mv "$kept.part" "$kept"
  fi
  mkdir -p "$app/.heroku"
  cp -a "$kept/python" "$interpreter"
  python=$interpreter/bin/python3
  python_version=$("$python" -c 'import platform; print(platform.python_version())') ||
    refuse "The Python $1 that was fetched does not run here; see above."
  python_source=$(cat "$kept/source")
  step "Python $python_version from $python_source"
}

fetch_uv_python() { # fetch_uv_python REQUEST FOLDER
  [ -n "${UV_PYTHON_INSTALL_MIRROR:-}" ] || "$pack/lib/can_reach_uv_pythons" || return 1
  install_tool uv
  step "Fetching Python $1"
  UV_PYTHON_INSTALL_DIR=$2/uv UV_PYTHON_DOWNLOADS=manual UV_HTTP_RETRIES=1 UV_CACHE_DIR=$cache/uv timeout "$fetch_seconds" \
    "$uv" python install --no-bin --managed-python --no-progress "cpython-$1" >/tmp/uv-python.log 2>&1 || {
    show </tmp/uv-python.log
    [ -z "${UV_PYTHON_INSTALL_MIRROR:-}" ] || refuse "UV_PYTHON_INSTALL_MIRROR has no Python $1 that $python_origin asks for; see above."
    return 1
  }
  local found
  found=$(find "$2/uv" -mindepth 1 -maxdepth 1 -type d -name 'cpython-*' | head -n 1)
  mv "$found" "$2/python"
  rm -rf "$2/uv"
  echo "uv's Pythons" >"$2/source"
}

# JavaCPP's builds of CPython: a Java archive with an installation in it. Maven, of the stack layer java, fetches it as it
# does all others, with the mirrors of the app's settings.xml.
fetch_maven_python() { # fetch_maven_python FOLDER
  [ "$python_source" = maven ] && type -P mvn >/dev/null || return 1
  local artifact sum settings=()
  read -r artifact sum < <(awk -F '\t' -v version="$python_version" '$1 == version { print $3, $4 }' "$pack/lib/pythons.tsv")
  [ ! -f settings.xml ] || settings=(-s settings.xml)
  step "Fetching Python $python_version from the Maven repository"
  timeout "$fetch_seconds" mvn -q -B -Dstyle.color=never -Dmaven.repo.local=/tmp/m2 "${settings[@]}" \
    org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy -DoutputDirectory=/tmp/cpython \
    "-Dartifact=org.bytedeco:cpython:$artifact:jar:linux-x86_64" >/tmp/fetch.log 2>&1 || {
    head -n 5 /tmp/fetch.log | show
    return 1
  }
  echo "$sum  $(echo /tmp/cpython/*.jar)" | sha256sum --check --quiet - >/dev/null 2>&1 ||
    refuse "What the Maven repository has for Python $python_version is not what was once checked: its SHA-256 is another."
  /usr/bin/python3 "$pack/lib/unpack_maven_python.py" /tmp/cpython/*.jar "$1/python"
  rm -rf /tmp/cpython /tmp/m2
  echo "the Maven repository (JavaCPP's build)" >"$1/source"
}

refuse_python() { # refuse_python REQUEST
  refuse "$python_origin asks for Python $1, which can't be had here: uv's Pythons are out of reach." \
    "Those that can: $(awk -F '\t' '!/^#/ { print $1 }' "$pack/lib/pythons.tsv" | tr '\n' ' ')(write \"3.11\" for the stack's own)." \
    "A mirror of uv's Pythons is named with: skiff config:set UV_PYTHON_INSTALL_MIRROR=<address>"
}
