# shellcheck shell=bash
# What a built-in buildpack says, in the form of those of Heroku. Sourced by bin/compile.
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
