# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with bin/build
# The compiled app as archives: /skiff/out/layer-1.tar and so on, one for each folder that a buildpack named in its file
# `slug-layers`, and slug.tar with the rest. The same files give the same bytes. Sourced by bin/build.

most_layers=8 # as the platform takes (kMostSlugLayers)
slug_layers=() # folders of the app, without /app/

# Only real folders of the app: what lies behind a link is elsewhere.
name_slug_layers() { # name_slug_layers FILE
  local path paths
  mapfile -t paths < <(list_entries "$1")
  for path in "${paths[@]}"; do
    path=${path#/app/}
    path=${path%/}
    if [ -n "$path" ] && [ -d "/app/$path" ] && [ "$(realpath -- "/app/$path")" = "/app/$path" ]; then
      slug_layers+=("$path")
    fi
  done
}

# Each once, and none that lies in another one.
choose_slug_layers() {
  local path last='' kept=() sorted=()
  [ ${#slug_layers[@]} = 0 ] || mapfile -t sorted < <(printf '%s/\n' "${slug_layers[@]}" | LC_ALL=C sort -u)
  for path in "${sorted[@]}"; do
    # A folder that is gone since is none.
    if [[ -n $last && $path == "$last"* ]] || [ ! -d "/app/$path" ] || [ ${#kept[@]} = $most_layers ]; then continue; fi
    last=$path
    kept+=("${path%/}")
  done
  slug_layers=("${kept[@]}")
}

make_tar() { # make_tar FILE ARGUMENTS...
  local file=$1
  shift
  tar --sort=name --format=gnu --owner=70000 --group=70000 --numeric-owner -cf "$file" -C / "$@"
}

pack_app() {
  local path excluded=() count=0
  rm -rf /app/.git
  choose_slug_layers
  echo "-----> Compressing..."
  for path in "${slug_layers[@]}"; do
    count=$((count + 1))
    make_tar "$out/layer-$count.tar" "app/$path"
    excluded+=("--exclude=app/$path")
  done
  make_tar "$out/slug.tar" --anchored --no-wildcards "${excluded[@]}" app
  echo "       Done: $(du -ch --apparent-size "$out"/*.tar | tail -n 1 | cut -f1)"
}
