# shellcheck shell=bash
# The app's programs by name, and Go's runtime told of the dyno's bounds. What a config var sets stays.
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

# Go 1.25 and newer see a quota of processor time by themselves; older ones would start a thread for each of the host's.
if [ -z "${GOMAXPROCS:-}" ]; then
  read -r go_quota go_period < <(cat /sys/fs/cgroup/cpu.max 2>/dev/null ||
    paste -d ' ' /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us 2>/dev/null)
  case ${go_quota:-max} in
    max | -* | 0) ;;
    *) export GOMAXPROCS=$(((go_quota + go_period - 1) / go_period)) ;;
  esac
fi
unset go_limit go_quota go_period
