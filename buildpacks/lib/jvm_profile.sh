# shellcheck shell=bash
# Java in a dyno: the heap follows from the dyno's memory, so that what else a JVM takes has room beside it.
JAVA_HOME=$(dirname "$(dirname "$(readlink -f /usr/bin/java)")")
export JAVA_HOME

skiff_dyno_megabytes() {
  local bytes
  bytes=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null)
  [[ $bytes =~ ^[0-9]{1,14}$ ]] && echo $((bytes >> 20))
}

# Metaspace, code and threads take about 200 MB whatever the heap: the smaller the dyno, the smaller the heap's part.
skiff_java_memory() {
  local megabytes
  megabytes=$(skiff_dyno_megabytes) || return 0
  if [ "$megabytes" -le 768 ]; then
    echo "-Xmx$((megabytes * 58 / 100))m -Xss512k -XX:CICompilerCount=2"
  elif [ "$megabytes" -le 1536 ]; then
    echo "-Xmx$((megabytes * 65 / 100))m -XX:CICompilerCount=2"
  elif [ "$megabytes" -le 8192 ]; then
    echo "-Xmx$((megabytes * 80 / 100))m"
  else
    echo "-Xmx$((megabytes * 85 / 100))m"
  fi
}

# What the app's own settings say, wins: the last of two options counts.
JAVA_TOOL_OPTIONS="$(skiff_java_memory) -Dfile.encoding=UTF-8${JAVA_TOOL_OPTIONS:+ $JAVA_TOOL_OPTIONS}"
export JAVA_TOOL_OPTIONS

# JDBC has addresses of its own: postgres://user:password@host:port/name becomes jdbc:postgresql://host:port/name?...
skiff_jdbc() { # skiff_jdbc NAME ADDRESS: sets NAME_URL, NAME_USERNAME, NAME_PASSWORD
  local scheme rest credentials place
  [[ $2 =~ ^([a-z0-9]+)://(([^@/]*)@)?([^/?]+/.*)$ ]] || return 0
  scheme=${BASH_REMATCH[1]} credentials=${BASH_REMATCH[3]} place=${BASH_REMATCH[4]}
  case $scheme in postgres) scheme=postgresql ;; mysql2) scheme=mysql ;; postgresql | mysql | mariadb) ;; *) return 0 ;; esac
  rest="jdbc:$scheme://$place"
  [ -z "$credentials" ] || {
    [[ $rest == *\?* ]] && rest+='&' || rest+='?'
    rest+="user=${credentials%%:*}"
    [[ $credentials != *:* ]] || rest+="&password=${credentials#*:}"
  }
  export "$1_URL=$rest" "$1_USERNAME=${credentials%%:*}" "$1_PASSWORD=${credentials#*:}"
}
# The pool of the database comes before it; where there is no DATABASE_URL, what add-ons for MySQL call it.
if [ -z "${JDBC_DATABASE_URL:-}" ]; then
  skiff_address=${DATABASE_URL:-${JAWSDB_URL:-${JAWSDB_MARIA_URL:-${CLEARDB_DATABASE_URL:-}}}}
  skiff_jdbc JDBC_DATABASE "${DATABASE_CONNECTION_POOL_URL:-$skiff_address}"
fi
skiff_jdbc DATABASE_CONNECTION_POOL_JDBC "${DATABASE_CONNECTION_POOL_URL:-}"
for skiff_name in "${!HEROKU_POSTGRESQL_@}"; do
  case $skiff_name in *_JDBC_URL) ;; *_URL) skiff_jdbc "${skiff_name%_URL}_JDBC" "${!skiff_name}" ;; esac
done

# Spring reads these by itself; what the app sets, or takes back, stays so.
if [ -n "${JDBC_DATABASE_URL:-}" ] && [ "${DISABLE_SPRING_DATASOURCE_URL:-}" != true ] &&
  [ -z "${SPRING_DATASOURCE_URL:-}${SPRING_DATASOURCE_USERNAME:-}${SPRING_DATASOURCE_PASSWORD:-}" ]; then
  export SPRING_DATASOURCE_URL="$JDBC_DATABASE_URL" SPRING_DATASOURCE_USERNAME="${JDBC_DATABASE_USERNAME:-}"
  export SPRING_DATASOURCE_PASSWORD="${JDBC_DATABASE_PASSWORD:-}"
fi
if [ -n "${REDIS_URL:-}" ] && [ "${DISABLE_SPRING_REDIS_URL:-}" != true ]; then
  export SPRING_REDIS_URL="${SPRING_REDIS_URL:-$REDIS_URL}" SPRING_DATA_REDIS_URL="${SPRING_DATA_REDIS_URL:-$REDIS_URL}"
fi
unset skiff_address skiff_name
unset -f skiff_dyno_megabytes skiff_java_memory skiff_jdbc
