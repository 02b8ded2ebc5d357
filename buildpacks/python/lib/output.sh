# shellcheck shell=bash disable=SC2154 # what bin/compile and the other parts set
# What the pusher reads.

step() {
  echo "-----> $*"
}

warn() { # warn LINE...
  echo " !     $1"
  shift
  local line
  for line in "$@"; do echo "       $line"; done
}

refuse() { # refuse LINE...
  warn "$@"
  exit 1
}

# A line of a tool's output below its step, without the password or token that an address in it may hold.
show() {
  sed -u -E 's|(//)[^/?#[:space:]]+@|\1***@|g; s/^/       /'
}
