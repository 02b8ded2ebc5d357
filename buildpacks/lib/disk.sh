# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with bin/build
# The build's disk, which also holds the app's cache. Sourced by bin/build.

# Where the host can't mount a disk of its own for the build, its size is watched instead.
watch_disk() {
  local limit=$1 used
  while sleep 1; do
    used=$(du -sm --total /app /tmp "$out" "$cache" 2>/dev/null | tail -n 1 | cut -f1)
    if [ "${used:-0}" -gt "$limit" ]; then
      echo " !     No space left on device: the build takes more than $limit MB."
      kill -KILL -- -1
    fi
  done
}

# What buildpacks keep saves time and nothing else, and package managers seldom remove what they fetched: past half of the disk
# it begins anew, before there is no room to build in.
bound_cache() {
  local used size
  if [ -n "${SKIFF_WATCH_DISK_MB:-}" ]; then
    size=$SKIFF_WATCH_DISK_MB used=$(du -sm "$cache" 2>/dev/null | cut -f1)
  else
    read -r used size < <(df -BM --output=used,size "$cache" | tail -n 1 | tr -d M)
  fi
  [ "${used:-0}" -gt $((size / 2)) ] || return 0
  echo "-----> The cache of earlier builds takes $used of the $size MB that a build has: it begins anew"
  find "$cache" -mindepth 1 -delete || true
}
