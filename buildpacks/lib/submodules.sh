# shellcheck shell=bash disable=SC2154 # variables are shared with bin/build
# The submodules of the pushed commit, before the buildpacks see the app. Sourced by bin/build.

# $input/submodules has a line "COMMIT PATH" for each.
fetch_submodules() {
  if [ -s "$input/submodules" ]; then
    /usr/bin/python3 "$packs/lib/submodules.py" /app "$input/submodules" "$cache/submodules" || exit 1
  else
    rm -rf "$cache/submodules"
  fi
}
