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
skiff_jdbc() { # skiff_jdbc PREFIX ADDRESS
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
  export "JDBC_$1URL=$rest" "JDBC_$1USERNAME=${credentials%%:*}" "JDBC_$1PASSWORD=${credentials#*:}"
}
if [ -n "${DATABASE_URL:-}" ] && [ -z "${JDBC_DATABASE_URL:-}" ]; then
  skiff_jdbc DATABASE_ "$DATABASE_URL"
  [ -n "${SPRING_DATASOURCE_URL:-}" ] || [ -z "${JDBC_DATABASE_URL:-}" ] || {
    export SPRING_DATASOURCE_URL="$JDBC_DATABASE_URL" SPRING_DATASOURCE_USERNAME="$JDBC_DATABASE_USERNAME"
    export SPRING_DATASOURCE_PASSWORD="$JDBC_DATABASE_PASSWORD"
  }
fi
unset -f skiff_dyno_megabytes skiff_java_memory skiff_jdbc
