# shellcheck shell=bash disable=SC2154 # what bin/compile and the other parts set
# Each package manager installs what its lock file names, without the groups for development.

# The host's certificate authorities, for tools and libraries that have their own.
use_host_certificates() {
  local bundle=/etc/ssl/certs/ca-certificates.crt
  export SSL_CERT_FILE=${SSL_CERT_FILE:-$bundle} REQUESTS_CA_BUNDLE=${REQUESTS_CA_BUNDLE:-$bundle} PIP_CERT=${PIP_CERT:-$bundle}
  export UV_SYSTEM_CERTS=${UV_SYSTEM_CERTS:-1} PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
}

install_packages() {
  if [ -n "$restored" ]; then
    step "Using the packages of the build before: $manager_file is the same"
    return 0
  fi
  step "Installing packages: $(describe_command)"
  if ! "install_with_$manager" 2>&1 | tee /tmp/install.log | show; then
    explain_install_failure /tmp/install.log
    exit 1
  fi
}

describe_command() {
  case $manager in
    pip) echo "pip install -r requirements.txt$(pip_hash_option)" ;;
    uv) echo "uv sync --locked --no-default-groups" ;;
    poetry) echo "poetry sync --only main" ;;
    pipenv) echo "pipenv install --deploy" ;;
  esac
}

pip_hash_option() {
  [ -z "$(/usr/bin/python3 "$pack/lib/requirements.py" . hashes)" ] || echo " --require-hashes"
}

install_with_pip() {
  local options
  read -ra options <<<"$(pip_hash_option)"
  export PIP_CACHE_DIR=$cache/downloads/pip VIRTUAL_ENV=$environment
  if [ ! -x "$environment/bin/pip" ]; then
    PIP_CONSTRAINT='' PIP_REQUIRE_HASHES='' "$environment/bin/python" "$pip_wheel/pip" install --quiet --no-index --no-deps "$pip_wheel" || return 1
  fi
  "$environment/bin/python" -m pip install -r requirements.txt "${options[@]}" --no-input --progress-bar off --exists-action w \
    --src "$environment/src"
}

install_with_uv() {
  export UV_PROJECT_ENVIRONMENT=$environment UV_PYTHON=$environment/bin/python UV_PYTHON_DOWNLOADS=never UV_CACHE_DIR=$cache/downloads/uv
  export UV_LINK_MODE=copy
  "$uv" sync --locked --no-default-groups --compile-bytecode --no-progress --color never
}

install_with_poetry() {
  export VIRTUAL_ENV=$environment POETRY_VIRTUALENVS_CREATE=false POETRY_CACHE_DIR=$cache/downloads/poetry
  export POETRY_VIRTUALENVS_USE_POETRY_PYTHON=false
  # Poetry knows no other address for the index than a project's sources; a plugin does.
  export POETRY_PYPI_MIRROR_URL=${POETRY_PYPI_MIRROR_URL:-${PIP_INDEX_URL:-}}
  run_tool poetry sync --only main --compile --no-interaction --no-ansi
}

install_with_pipenv() {
  export VIRTUAL_ENV=$environment PIPENV_CACHE_DIR=$cache/downloads/pipenv PIP_CACHE_DIR=$cache/downloads/pip PIPENV_NOSPIN=1 PIPENV_YES=1
  export PIPENV_VERBOSITY=-1 PIPENV_IGNORE_VIRTUALENVS=0 NO_COLOR=1
  COLUMNS=200 run_tool pipenv install --deploy 2>&1 | sed -u '/^\[DeployException\]/d' # where in Pipenv it happened
}
