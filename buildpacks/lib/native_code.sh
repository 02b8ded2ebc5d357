# shellcheck shell=bash
# What native code lacks when it is compiled, in the same words for each language. Sourced by bin/compile of the built-in ones.

# explain_native_code LOG...: tells what was missing and what to do, or returns 1 when nothing was.
explain_native_code() {
  local missing package
  { read -r missing && read -r package; } < <(cat -- "$@" | /usr/bin/python3 "${BASH_SOURCE[0]%/*}/missing_library.py") || return 1
  if [ -n "$package" ]; then
    echo " !     Native code needs $missing, which the stack lacks: it is in Debian's package $package."
    echo " !     Write the line \"$package\" into a file Aptfile, commit it, and push again."
  else
    echo " !     Native code needs $missing, which the stack lacks."
    echo " !     Find the Debian package that has it (apt-file search $missing), write its name into a file Aptfile, and push again."
  fi
}
