# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with bin/build
# The scripts of the chosen buildpacks: their stack layers, bin/compile and bin/report. Sourced by bin/build.

report_time=20 # seconds; a report only tells of what was done
report_bytes=16384

# Scripts of old buildpacks may lack the executable bit, and some name what lies beside them by its place in $pack.
run_script() { # run_script FILE ARGUMENTS...
  cd "$pack" || return
  local code=0
  if [ -x "$1" ]; then "$@" || code=$?; else bash "$@" || code=$?; fi
  cd /app || return
  return $code
}

# The stack layers that the chosen buildpacks build with: `bin/layers` prints names. The app runs with the same ones but for
# those with the word "build" after them, unless compile left a file `run-layers` with other names in the buildpack's folder.
add_layers() { # add_layers PACK FILE
  [ ! -f "$1/bin/layers" ] || pack=$1 run_script "$1/bin/layers" /app "$input/env" >>"$2" || fail "bin/layers of ${1##*/} failed."
}

name_layers() {
  for pack in "${chosen[@]}"; do add_layers "$pack" /tmp/layers; done
  touch /tmp/layers
  cut -d ' ' -f 1 /tmp/layers | sort -u >"$out/layers"
  leave_out_build_layers /tmp/layers >/tmp/run-layers # which the buildpack apt takes for installed
  : >"$out/run-layers"
}

leave_out_build_layers() { # leave_out_build_layers FILE
  sed '/ build$/d' "$1" | sort -u
}

has_layers() {
  local layer
  while read -r layer; do
    [[ " ${SKIFF_LAYERS:-} " == *" $layer "* ]] || return 1
  done <"$out/layers"
}

# What a buildpack says of its build, after success and failure. Whatever happens to it harms no build.
report() {
  [ -f "$pack/bin/report" ] || return 0
  local runner=()
  [ -x "$pack/bin/report" ] || runner=(bash)
  (cd "$pack" && timeout -k 1 "$report_time" "${runner[@]}" bin/report /app "$cache" "$input/env" </dev/null 2>/dev/null |
    head -c "$report_bytes" >>"$out/report") || :
}

# As on Heroku: a variable of it may be unset (PATH=...:$GEM_HOME/bin), and its last command may fail.
take_export() { # take_export FILE
  set +eu
  # shellcheck source=/dev/null
  . "$1"
  set -eu
}

# Builds with the buildpack $pack.
compile() {
  local name compiled=yes other=()
  name=$(run_script "$pack/bin/detect" /app 2>/dev/null) || {
    name=$(basename "$pack")
    other=("The buildpack $name, which was named, does not take this app for its own; see skiff buildpacks, and .buildpacks.")
  }
  echo "-----> $name app detected"
  run_script "$pack/bin/compile" /app "$cache" "$input/env" || compiled=
  report
  [ -n "$compiled" ] || fail "The build failed; what went wrong stands above." "${other[@]}"
  [ ! -r "$pack/export" ] || take_export "$pack/export"
  if [ -f "$pack/run-layers" ]; then
    list_entries "$pack/run-layers" >>"$out/run-layers"
  else
    : >/tmp/layers
    add_layers "$pack" /tmp/layers
    leave_out_build_layers /tmp/layers >>"$out/run-layers"
  fi
  if [ -f "$pack/slug-layers" ]; then name_slug_layers "$pack/slug-layers"; fi
}
