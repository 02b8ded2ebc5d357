# shellcheck shell=bash
# The config vars in the environment of a build's own programs, as Heroku's buildpacks give them: not those that would
# make the build itself another one.

# export_config_vars ENV_DIR [NAME...]: all but the NAMEs and the ones that decide where programs are found.
export_config_vars() {
  local folder=$1 file name value
  shift
  for file in "$folder"/*; do
    name=${file##*/}
    case $name in
      PATH | HOME | PWD | SHELL | USER | TMPDIR | IFS | BASH_ENV | ENV | LD_* | GIT_DIR | STACK | REQUEST_ID | SOURCE_VERSION | SKIFF_* | CPATH | LIBRARY_PATH) continue ;;
    esac
    [[ $name =~ ^[A-Za-z_][A-Za-z0-9_]*$ && " $* " != *" $name "* ]] || continue
    value=$(cat -- "$file" && printf x) # the line ends at its end too
    export "$name=${value%x}"
  done
}
