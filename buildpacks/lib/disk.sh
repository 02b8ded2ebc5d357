# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with bin/build
# Sourced by bin/build.

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
