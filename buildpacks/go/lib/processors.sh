
# The processors that the dyno has (cgroup v2, v1), for programs that would start a thread for each of the host's.
if [ -z "${GOMAXPROCS:-}" ]; then
  read -r go_quota go_period < <(cat /sys/fs/cgroup/cpu.max 2>/dev/null ||
    paste -d ' ' /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us 2>/dev/null)
  case ${go_quota:-max} in
    max | -* | 0) ;;
    *) export GOMAXPROCS=$(((go_quota + go_period - 1) / go_period)) ;;
  esac
fi
unset go_quota go_period
