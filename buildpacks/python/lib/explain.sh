# shellcheck shell=bash disable=SC2154 # what bin/compile and the other parts set
# What a failed installation means, and the line that mends it.

explain_install_failure() { # explain_install_failure LOG
  ! explain_native_code "$1" || return 0
  case $manager in
    pip)
      ! grep -qE 'DO NOT MATCH THE HASHES|require their versions to be pinned|Hashes are required' "$1" ||
        warn "requirements.txt has hashes, and they do not cover all: see above." "Make the file anew: pip-compile --generate-hashes, or uv pip compile --generate-hashes."
      ! grep -qE 'Invalid requirement|No such file or directory: .*requirements|Could not open requirements file' "$1" ||
        warn "requirements.txt can't be read as it is: see above." ;;
    uv)
      ! grep -q 'needs to be updated' "$1" || warn "uv.lock does not fit pyproject.toml: run \"uv lock\", and commit uv.lock." ;;
    poetry)
      ! grep -qE 'changed significantly' "$1" || warn "poetry.lock does not fit pyproject.toml: run \"poetry lock\", and commit poetry.lock."
      ! grep -qE '0 candidate\(s\) were identified' "$1" ||
        warn "The index does not have these packages, or not in the way that Poetry asks for them." \
          "Another address of it is named with: skiff config:set POETRY_PYPI_MIRROR_URL=<address of its simple index>"
      ! grep -qE 'No file/folder found for package|current project could not be installed' "$1" ||
        warn "Poetry takes the app itself for a package. If it is none, write into pyproject.toml: [tool.poetry] package-mode = false" ;;
    pipenv)
      ! grep -qE 'Aborting deploy|is not up-to-date' "$1" || warn "Pipfile.lock does not fit Pipfile: run \"pipenv lock\", and commit Pipfile.lock." ;;
  esac
  ! grep -qE 'No matching distribution found|has no wheels with a matching Python|not in .*Python|requires a different Python' "$1" ||
    warn "The index has no such package or version, or none for Python ${python_version%.*}, which a .python-version may change."
}
