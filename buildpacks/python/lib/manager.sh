# shellcheck shell=bash disable=SC2154 # what bin/compile and the other parts set
# Which package manager an app uses: the one whose file it has, and exactly one of them.

# Sets `manager` and `manager_file`.
choose_manager() { # choose_manager APP
  local entry file found=() names=()
  for entry in pipenv:Pipfile.lock pip:requirements.txt poetry:poetry.lock uv:uv.lock; do
    file=${entry#*:}
    [ -e "$1/$file" ] || continue
    [ -f "$1/$file" ] || refuse "$file is no file: commit it as one."
    found+=("$entry") names+=("$file (${entry%%:*})")
  done
  case ${#found[@]} in
    1) manager=${found[0]%%:*} manager_file=${found[0]#*:} ;;
    0) refuse_without_manager "$1" ;;
    *) refuse "The app has files of several package managers: $(join "${names[@]}")" \
      "Keep those of the one that you use, and remove the others: git rm <file>" ;;
  esac
  [ "$manager" = pip ] || [ -f "$1/$(project_file "$manager")" ] ||
    refuse "The app has $manager_file but no $(project_file "$manager") beside it: commit that too."
}

project_file() {
  if [ "$1" = pipenv ]; then echo Pipfile; else echo pyproject.toml; fi
}

join() {
  local text
  text=$(printf '%s, ' "$@")
  echo "${text%, }"
}

refuse_without_manager() { # refuse_without_manager APP
  local name
  for name in Requirements.txt requirement.txt requirments.txt requeriments.txt requirements.text requirements.txt.txt requirements; do
    [ ! -f "$1/$name" ] || refuse "The file $name is misspelled: git mv $name requirements.txt"
  done
  [ ! -f "$1/Pipfile" ] || refuse "The app has a Pipfile but no Pipfile.lock: run \"pipenv lock\", and commit Pipfile.lock."
  [ ! -f "$1/pdm.lock" ] || refuse "pdm.lock is a file of PDM, which is not used here." \
    "Write a requirements.txt from it: pdm export -o requirements.txt, and remove pdm.lock."
  [ ! -f "$1/environment.yml" ] || refuse "environment.yml is a file of Conda, which is not used here." \
    "List the app's packages in a requirements.txt."
  if [ -f "$1/pyproject.toml" ]; then
    if grep -q '^\[tool\.poetry\]' "$1/pyproject.toml"; then
      refuse "pyproject.toml is Poetry's, and there is no poetry.lock: run \"poetry lock\", and commit poetry.lock."
    fi
    refuse "There is a pyproject.toml but no lock file: run \"uv lock\" and commit uv.lock, or \"poetry lock\" and commit poetry.lock." \
      "To install the project by pip instead, commit a requirements.txt with the line: -e ."
  fi
  [ ! -f "$1/setup.py" ] || refuse "There is a setup.py, and no file that says what to install." \
    "Commit a requirements.txt with the line: -e ."
  refuse "No file says which packages the app needs: requirements.txt, uv.lock, poetry.lock or Pipfile.lock." \
    "Commit one in the top folder, which has: $(find "$1" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | head -n 12 | tr '\n' ' ')" \
    "An app that needs no packages commits an empty requirements.txt."
}
