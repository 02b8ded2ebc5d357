# shellcheck shell=bash
# What a build says, in the form of Heroku's buildpacks.
say_step() { echo "-----> $*"; }
indent() { sed -u 's/^/       /'; }

warn() {
  local line
  for line in "$@"; do echo " !     $line"; done
}

# Says what is wrong and what to do, one line an argument, and refuses the push.
fail() {
  warn "$@"
  exit 1
}
