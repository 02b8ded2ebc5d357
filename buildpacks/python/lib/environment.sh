# shellcheck shell=bash disable=SC2154 # what bin/compile and the other parts set
# The app's virtual environment, and how it is kept from build to build: as long as nothing changed that decides what is in
# it, the same files with the same times come back, and nothing is fetched.
environment=$app/.heroku/python
environment_form=1 # another number when what is made from the same files changes
fetched_mb=2048    # what the package managers may keep of their downloads before it begins anew

# The files that decide what is installed.
deciding_files() {
  case $manager in
    pip) /usr/bin/python3 "$pack/lib/requirements.py" . files ;;
    *) printf '%s\n' "$manager_file" "$(project_file "$manager")" ;;
  esac
  local_projects=$(find_local_projects)
  [ -z "$local_projects" ] || printf '%s\n' "$local_projects"
}

# What describes a project of the app's own that is installed from its folder.
find_local_projects() {
  find . -maxdepth 4 \( -name .heroku -o -name node_modules -o -name .apt \) -prune -o -type f \
    \( -name pyproject.toml -o -name setup.py -o -name setup.cfg \) -print | sort
}

environment_key() {
  {
    echo "$environment_form $manager $(tool_version "$manager") $python_version $python_source ${interpreter:-}"
    compgen -e | sort | while read -r name; do
      case $name in PIP_* | UV_* | POETRY_* | PIPENV_* | CFLAGS | LDFLAGS | CC | CXX) printf '%s=%s\n' "$name" "${!name}" ;; esac
    done
    deciding_files | sort -u | while read -r file; do sha256sum -- "$file"; done
    cat Aptfile 2>/dev/null || true
    [ "$manager" != pip ] || /usr/bin/python3 "$pack/lib/requirements.py" . variables | while read -r name; do printf '%s=%s\n' "$name" "${!name:-}"; done
  } | sha256sum | cut -d ' ' -f 1
}

# A folder of the app that is copied into the environment, or compiled in its place, may have changed with no lock file.
installs_local_sources() {
  case $manager in
    pip) [ -z "$(/usr/bin/python3 "$pack/lib/requirements.py" . local)" ] || return 0 ;;
    uv) ! grep -qE 'source = \{ (directory|path|url = "file:)' uv.lock || return 0 ;;
    poetry) ! grep -qE '^type = "(directory|file)"' poetry.lock || return 0 ;;
    pipenv) ! grep -qE '"(path|file)":' Pipfile.lock || return 0 ;;
  esac
  [ -n "$(find_local_projects)" ] && [ -n "$(find . \( -name .heroku -o -name node_modules -o -name .apt \) -prune -o -type f \
    \( -name '*.pyx' -o -name '*.c' -o -name '*.cc' -o -name '*.cpp' -o -name Cargo.toml -o -name '*.f90' \) -print -quit)" ]
}

# The key goes first: a build that is killed meanwhile leaves no half of an environment under it.
forget_environment() {
  rm -f "$cache/environment.key"
  rm -rf "$cache/environment"
}

# Sets `restored` to yes when the environment is whole as it is.
restore_environment() {
  restored=
  key=$(environment_key)
  mkdir -p "$app/.heroku"
  rm -rf "$cache/environment.part"
  if [ "$(cat "$cache/environment.key" 2>/dev/null)" = "$key" ] && [ -d "$cache/environment" ]; then
    cp -a "$cache/environment" "$environment"
    if [ -x "$environment/bin/python" ] && "$environment/bin/python" -c '' 2>/dev/null; then
      installs_local_sources || restored=yes
      return 0
    fi
    rm -rf "$environment"
  fi
  forget_environment
  bound_downloads
  "$python" -m venv --without-pip "$environment"
}

bound_downloads() {
  local used
  mkdir -p "$cache/downloads"
  used=$(du -sm "$cache/downloads" | cut -f 1)
  [ "$used" -le "$fetched_mb" ] || rm -rf "$cache/downloads"
}

keep_environment() {
  [ -z "$restored" ] || return 0
  forget_environment
  cp -a "$environment" "$cache/environment.part"
  mv "$cache/environment.part" "$cache/environment"
  echo "$key" >"$cache/environment.key"
}

report_versions() {
  printf 'python_version: %s\npython_source: %s\npackage_manager: %s\npackage_manager_version: %s\n' "$python_version" \
    "$python_source" "$manager" "$(tool_version "$manager")" >"$cache/report"
}
