# shellcheck shell=bash
# The config vars in the environment of a build's own programs, as Heroku's buildpacks give them: not those that would
# make the build itself another one.

# export_config_vars ENV_DIR [NAME...]: all but the NAMEs, the ones that decide where programs are found and how shells read,
# and those whose names the calling script, or bash itself (UID), has for variables of its own.
export_config_vars() {
  local skiff_folder=$1 skiff_file skiff_name skiff_value
  shift
  for skiff_file in "$skiff_folder"/*; do
    skiff_name=${skiff_file##*/}
    case $skiff_name in
      PATH | HOME | PWD | OLDPWD | SHELL | USER | TMPDIR | IFS | CDPATH | GLOBIGNORE | POSIXLY_CORRECT | PS4 | BASH_* | ENV | LD_* | \
        GIT_DIR | GIT_WORK_TREE | PYTHONHOME | STACK | REQUEST_ID | SOURCE_VERSION | SKIFF_* | CPATH | LIBRARY_PATH) continue ;;
    esac
    [[ -f $skiff_file && $skiff_name =~ ^[A-Za-z_][A-Za-z0-9_]*$ && " $* " != *" $skiff_name "* ]] || continue
    if [[ $(declare -p "$skiff_name" 2>/dev/null) =~ ^declare\ -([^ x]*|[^ ]*r[^ ]*)\  ]]; then
      echo " !     The config var $skiff_name is not in the environment of the build, which has a variable of that name."
      continue
    fi
    skiff_value=$(cat -- "$skiff_file" && printf x) # the line ends at its end too
    declare -gx "$skiff_name=${skiff_value%x}"
  done
}
