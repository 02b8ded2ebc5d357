# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with bin/build
# The app's source, once it is unpacked. Sourced by bin/build.

# Removes what a pattern of .slugignore names, and nothing outside of the app, be it by dots or by a link.
remove_matches() {
  local IFS='' match folder name # a space is part of the name
  for match in ./$1; do
    folder=$(realpath -- "$(dirname -- "$match")" 2>/dev/null) || continue
    name=$(basename -- "$match")
    [[ $folder/ != /app/* || $name == . || $name == .. ]] || rm -rf -- "${folder:?}/${name:?}"
  done
}

# What .slugignore names, before the build.
ignore_files() {
  local pattern patterns
  [ -f .slugignore ] || return 0
  mapfile -t patterns < <(list_entries .slugignore)
  for pattern in "${patterns[@]}"; do remove_matches "$pattern"; done
}

# Pointers of Git LFS are a few lines of text where the file's content should be.
warn_of_lfs() {
  local pointers
  mapfile -t pointers < <(find . -type f -size -2 -exec grep -lxF 'version https://git-lfs.github.com/spec/v1' {} + | head -n 1000)
  [ ${#pointers[@]} = 0 ] || {
    echo " !     Git LFS is not fetched: ${#pointers[@]} files are pointers to their content, the first one ${pointers[0]#./}"
    echo "       Put the files themselves into the repository: git lfs migrate export --everything --include='*'"
  }
}
