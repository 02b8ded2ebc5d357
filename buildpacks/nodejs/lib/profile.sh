# shellcheck shell=bash
# Node.js in a dyno, as Heroku sets it: how much memory a process has, and how many processes fit.
export NODE_HOME=$HOME/.heroku/node
export PATH=$NODE_HOME/bin:$PATH:$HOME/bin:$HOME/node_modules/.bin
export NODE_ENV=${NODE_ENV:-production}
export npm_config_update_notifier=${npm_config_update_notifier:-false} # npm start asks the registry otherwise, and fills the log
[ ! -r /etc/ssl/certs/ca-certificates.crt ] || export NODE_EXTRA_CA_CERTS=${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}
[ ! -f "$HOME/.pnp.cjs" ] || export NODE_OPTIONS="--require $HOME/.pnp.cjs${NODE_OPTIONS:+ $NODE_OPTIONS}"

skiff_node_memory() { # megabytes of the dyno: cgroup v2 or v1, never more than the machine has
  local bytes machine
  machine=$(awk '/^MemTotal:/ { print int($2 / 1024) }' /proc/meminfo)
  bytes=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null)
  if [[ $bytes =~ ^[0-9]{1,18}$ ]] && ((bytes >> 20 < machine)); then echo $((bytes >> 20)); else echo "$machine"; fi
}

skiff_node_cores() { # whole processors that the dyno may use
  local quota period
  if ! read -r quota period 2>/dev/null </sys/fs/cgroup/cpu.max; then
    quota=$(cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null) period=$(cat /sys/fs/cgroup/cpu/cpu.cfs_period_us 2>/dev/null)
  fi
  if [[ ${quota:-} =~ ^[0-9]+$ && ${period:-} =~ ^[1-9][0-9]*$ ]]; then
    echo $(((quota + period - 1) / period))
  else
    nproc
  fi
}

MEMORY_AVAILABLE=${MEMORY_AVAILABLE:-$(skiff_node_memory)}
WEB_MEMORY=${WEB_MEMORY:-512}
export MEMORY_AVAILABLE WEB_MEMORY
if [ -z "${WEB_CONCURRENCY:-}" ]; then
  # No more than memory holds, and no more than the cores can run.
  WEB_CONCURRENCY=$((MEMORY_AVAILABLE / WEB_MEMORY))
  cores=$(skiff_node_cores)
  ((WEB_CONCURRENCY <= cores)) || WEB_CONCURRENCY=$cores
  ((WEB_CONCURRENCY > 0)) || WEB_CONCURRENCY=1
  unset cores
fi
export WEB_CONCURRENCY
unset -f skiff_node_memory skiff_node_cores
