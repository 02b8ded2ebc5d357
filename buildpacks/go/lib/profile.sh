# shellcheck shell=bash
# The app's programs by name, and Go's runtime told of the dyno's memory. What a config var sets stays.
export PATH="/app/bin:$PATH"

# Nine tenths of the dyno's memory (cgroup v2, v1): the collector works harder before the kernel would end the program.
if [ -z "${GOMEMLIMIT:-}" ]; then
  go_limit=$(cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null | head -n 1)
  case $go_limit in
    '' | *[!0-9]*) ;;                                                                    # no bound
    ??????????????????*) ;;                                                              # v1's way to say so
    *) export GOMEMLIMIT=$((go_limit / 10 * 9)) ;;
  esac
fi
unset go_limit
