# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with bin/build
# Whether the programs of the process types are there where the app runs. Sourced by bin/build.

# The program that a command begins with, by name or path, when that is told by its first word; nothing otherwise.
first_program() {
  local word words
  read -ra words <<<"$1"
  for word in "${words[@]}"; do
    case $word in
      exec | env | nohup | [A-Za-z_]*=*) continue ;;
      -* | *[!A-Za-z0-9_.+/-]*) return ;;
      *) echo "$word" && return ;;
    esac
  done
}

# Where the shell of a dyno finds a program: its path, or what else it is to the shell; nothing when it is missing.
where_is() {
  bash -c 'cd /app
    for f in .profile.d/*.sh; do [ ! -r "$f" ] || . "$f"; done >/dev/null 2>&1
    case $(type -t -- "$1") in file) type -P -- "$1" ;; *) type -t -- "$1" ;; esac' where "$1" || true
}

# A program of the app itself.
check_file() { # check_file TYPE FILE
  [ -e "$2" ] || fail "The process type $1 runs \"$2\", and there is no such file in the app once it is built."
  { [ -f "$2" ] && [ -x "$2" ]; } || fail "The process type $1 runs \"$2\", which can't be run: it has no executable bit." \
    "Set it with: git update-index --chmod=+x ${2#./}"
}

# Sets of programs that the run stack (/usr/share/skiff/run-programs) and its layers have on the PATH.
is_run_program() {
  local layer stack=/usr/share/skiff files
  files=("$stack/run-programs")
  while read -r layer; do files+=("$stack/layers/$layer/run-programs"); done <"$out/run-layers"
  cat -- "${files[@]}" 2>/dev/null | grep -xF -- "$1" >/dev/null
}

# What the run stack lacks would end the dyno at once, with exit code 127. A .profile may bring anything.
check_programs() {
  local line type program where
  [ ! -f .profile ] || return 0
  while IFS= read -r line; do
    type=${line%%:*} program=$(first_program "${line#*:}")
    [ -n "$program" ] && [ "$type" != release ] || continue # which is not run yet
    case $program in
      /app/* | [!/]*/*) check_file "$type" "${program#/app/}" && continue ;;
      /*) continue ;;
    esac
    where=$(where_is "$program")
    [[ $where != /* || $where == /app/* ]] || is_run_program "$program" || where=
    [ -n "$where" ] || fail "The process type $type runs \"$program\", and there is no such program where apps run." \
      "A buildpack brings it (skiff config:set BUILDPACK_URL=<address>), or a Debian package that an Aptfile names." \
      "A static site needs no line for web: nginx serves it."
  done < <(list_entries /tmp/Procfile)
}
