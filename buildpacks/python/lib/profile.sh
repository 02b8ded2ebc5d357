# shellcheck shell=bash
# .profile.d/python.sh: the environment of a dyno with Python. It is sourced: it must not end the shell.
export PATH="/app/.heroku/python/bin:$PATH" VIRTUAL_ENV=/app/.heroku/python
export PYTHONUNBUFFERED=1 LANG="${LANG:-C.UTF-8}" PYTHONPATH="${PYTHONPATH-/app}"
# Libraries with certificate authorities of their own take the host's.
export SSL_CERT_FILE="${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}"
export REQUESTS_CA_BUNDLE="${REQUESTS_CA_BUNDLE:-/etc/ssl/certs/ca-certificates.crt}"
# Gunicorn and Uvicorn believe what the router says of the client, and Gunicorn logs what it answers.
export FORWARDED_ALLOW_IPS="${FORWARDED_ALLOW_IPS-*}" GUNICORN_CMD_ARGS="${GUNICORN_CMD_ARGS---access-logfile -}"

# The memory of the dyno in MB: cgroup v2, v1 (a huge number says that there is no bound), else the machine's.
skiff_python_memory() {
  local file bytes
  for file in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
    read -r bytes 2>/dev/null <"$file" || continue
    [[ $bytes =~ ^[0-9]{1,15}$ ]] || continue
    echo $((bytes >> 20)) && return
  done
  awk '/^MemTotal:/ { print int($2 / 1024) }' /proc/meminfo
}

# Whole processors: what the machine has, or the dyno's share of their time where it has a bound.
skiff_python_processors() {
  local quota period count
  read -r quota period 2>/dev/null </sys/fs/cgroup/cpu.max || {
    read -r quota 2>/dev/null </sys/fs/cgroup/cpu/cpu.cfs_quota_us
    read -r period 2>/dev/null </sys/fs/cgroup/cpu/cpu.cfs_period_us
  }
  count=$(nproc)
  if [[ ${quota:-} =~ ^[0-9]+$ && ${period:-} =~ ^[1-9][0-9]*$ ]]; then
    quota=$(((quota + period - 1) / period))
    ((quota >= count || quota == 0)) || count=$quota
  fi
  echo "$count"
}

# A process for each 256 MB, and no more than twice the processors and one.
if [ -z "${WEB_CONCURRENCY:-}" ]; then
  skiff_python_by_memory=$(($(skiff_python_memory) / 256)) skiff_python_by_processors=$(($(skiff_python_processors) * 2 + 1))
  WEB_CONCURRENCY=$((skiff_python_by_memory < skiff_python_by_processors ? skiff_python_by_memory : skiff_python_by_processors))
  [ "$WEB_CONCURRENCY" -ge 1 ] || WEB_CONCURRENCY=1
  export WEB_CONCURRENCY
  unset skiff_python_by_memory skiff_python_by_processors
fi
unset -f skiff_python_memory skiff_python_processors
