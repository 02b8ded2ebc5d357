# shellcheck shell=bash disable=SC2154 # what bin/compile and the other parts set
# What is done with the app itself: its hooks, Django's static files, its environment at run time.

run_hook() { # run_hook pre_compile|post_compile
  [ -f "bin/$1" ] || return 0
  step "Running bin/$1"
  sed -i '1s/\r$//' "bin/$1" # a checkout of Windows
  chmod +x "bin/$1"
  with_python_path "bin/$1" 2>&1 | show || refuse "bin/$1 failed; what went wrong stands above."
}

# The app's own PYTHONPATH, for its own code only.
with_python_path() {
  local path=$app
  [ ! -s "$env/PYTHONPATH" ] || path=$(cat "$env/PYTHONPATH")
  PYTHONPATH=$path VIRTUAL_ENV=$environment "$@"
}

# An environment of the developer's machine does not work elsewhere.
check_places() {
  local name
  for name in .venv venv env; do
    [ ! -f "$name/pyvenv.cfg" ] || refuse "The folder $name is a virtual environment, made for another machine." \
      "Remove it: git rm -r -q --cached $name && echo $name/ >> .gitignore"
  done
  [ ! -e "$environment" ] || refuse "The app has a .heroku/python of its own, which is where its packages go: git rm -r .heroku"
}

has_module() {
  "$environment/bin/python" - "$1" 2>/dev/null <<'P'
import importlib.util, sys
sys.path = [path for path in sys.path if path]
sys.exit(importlib.util.find_spec(sys.argv[1]) is None)
P
}

find_manage_py() {
  find . -maxdepth 3 \( -name .heroku -o -name node_modules \) -prune -o -type f -name manage.py -printf '%d %P\n' | sort -n | head -n 1 | cut -d ' ' -f 2-
}

uses_static_files() { # uses_static_files MANAGE_PY
  grep -rqsE '^[^#]*django\.contrib\.staticfiles' --include='*.py' "$(dirname "$1")"
}

collect_static() {
  has_module django || return 0
  local manage
  manage=$(find_manage_py)
  [ -n "$manage" ] && uses_static_files "$manage" || return 0
  [ ! -f .heroku/collectstatic_disabled ] || {
    warn "Static files are not collected: .heroku/collectstatic_disabled is there, which is deprecated." \
      "Remove it, and say the same with: skiff config:set DISABLE_COLLECTSTATIC=1"
    return 0
  }
  case ${DISABLE_COLLECTSTATIC:-0} in
    0) ;;
    *) step "Static files are not collected: DISABLE_COLLECTSTATIC is set" && return 0 ;;
  esac
  step "Collecting static files: python $manage collectstatic --noinput"
  if ! with_python_path "$environment/bin/python" "$manage" collectstatic --noinput --traceback 2>&1 | tee /tmp/collect.log | show; then
    explain_collect_failure "$manage"
    exit 1
  fi
}

# The config var that settings read and do not find: by os.environ, django-environ, python-decouple or environs.
missing_setting() { # missing_setting LOG
  grep -oE "(KeyError: '|Set the |[Ee]nvironment variable \"?|UndefinedValueError: )[A-Z][A-Z0-9_]+" "$1" | grep -oE '[A-Z][A-Z0-9_]+$' | tail -n 1
}

explain_collect_failure() { # explain_collect_failure MANAGE_PY
  local name
  if grep -qF 'STATIC_ROOT setting' /tmp/collect.log; then
    warn "Django's settings name no folder for the static files. Write: STATIC_ROOT = BASE_DIR / \"staticfiles\""
  elif name=$(missing_setting /tmp/collect.log); then
    warn "Django's settings read $name, which is not set: skiff config:set $name=<value>"
  fi
  warn "Static files could not be collected: see above." \
    "Try it where you work: python $1 collectstatic --noinput" \
    "To go on without them: skiff config:set DISABLE_COLLECTSTATIC=1"
}

# The environment in a dyno, and that of the buildpacks after this one.
write_run_environment() {
  mkdir -p "$app/.profile.d"
  cp "$pack/lib/profile.sh" "$app/.profile.d/python.sh"
  cat >"$pack/export" <<SH
export PATH="$environment/bin:\$PATH" PYTHONUNBUFFERED=1 LANG="\${LANG:-C.UTF-8}" VIRTUAL_ENV="$environment"
SH
  echo .heroku/python >"$pack/slug-layers"
  [ -z "$interpreter" ] || echo .heroku/cpython >>"$pack/slug-layers"
  echo python >"$pack/run-layers"
}

suggest_process() {
  [ ! -f Procfile ] || return 0
  /usr/bin/python3 "$pack/lib/suggest_process.py" . "$environment" || true
}
