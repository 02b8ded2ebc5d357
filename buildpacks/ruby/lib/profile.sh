# shellcheck shell=bash
# Ruby in a dyno. What a config var sets stays.
export RACK_ENV=${RACK_ENV:-production} LANG=${LANG:-C.UTF-8} MALLOC_ARENA_MAX=${MALLOC_ARENA_MAX:-2}

# Puma's processes: one for each 256 MB of the dyno (cgroup v2, v1), and at most two for each processor.
if [ -z "${WEB_CONCURRENCY:-}" ]; then
  ruby_memory=$(cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null | head -n 1)
  ruby_most=$(($(nproc) * 2))
  case $ruby_memory in
    '' | *[!0-9]* | ???????????????*) WEB_CONCURRENCY=$ruby_most ;; # no bound
    *) WEB_CONCURRENCY=$((ruby_memory / (256 << 20))) ;;
  esac
  [ "$WEB_CONCURRENCY" -le "$ruby_most" ] || WEB_CONCURRENCY=$ruby_most
  [ "$WEB_CONCURRENCY" -ge 1 ] || WEB_CONCURRENCY=1
  export WEB_CONCURRENCY
  unset ruby_memory ruby_most
fi
