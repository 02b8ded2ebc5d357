# shellcheck shell=bash
# shellcheck disable=SC2154 # of prepare.py and compile: cache, cached_folders, node_version, manager, manager_version
# The folders that package.json names in cacheDirectories, such as .next/cache: what a build script left there is there again
# when it runs the next time, with the same Node.js.

keeps_folders() { [ -n "$cached_folders" ] && [ "${NODE_MODULES_CACHE:-true}" != false ]; }

restore_folders() {
  local folder kept=$cache/folders made_with="$node_version $manager $manager_version"
  keeps_folders && [ "$(cat "$kept/made-with" 2>/dev/null)" = "$made_with" ] || return 0
  while IFS= read -r folder; do
    # What the repository has of it is newer.
    if [ ! -d "$kept/app/$folder" ] || [ -e "$folder" ]; then continue; fi
    echo "-----> Restoring $folder (package.json: cacheDirectories)"
    mkdir -p "$(dirname "$folder")"
    cp -a "$kept/app/$folder" "$folder"
  done <<<"$cached_folders"
}

keep_folders() {
  local folder kept=$cache/folders
  rm -rf "$kept"
  keeps_folders || return 0
  mkdir -p "$kept/app"
  while IFS= read -r folder; do
    [ -d "$folder" ] || {
      echo " !     cacheDirectories names $folder, and the build made no such folder: nothing of it is kept"
      continue
    }
    mkdir -p "$kept/app/$(dirname "$folder")"
    rm -rf "$kept/app/$folder" # when another one lies in it
    cp -a "$folder" "$kept/app/$folder"
  done <<<"$cached_folders"
  echo "$node_version $manager $manager_version" >"$kept/made-with"
}
