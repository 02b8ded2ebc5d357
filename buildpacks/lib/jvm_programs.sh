# shellcheck shell=bash disable=SC2016 # $PORT and $JAVA_OPTS are those of the dyno
# What heroku/java and heroku/gradle find to run as web, for their bin/release.

# Says it, and that is all: an app has one.
name_web() { # name_web COMMAND
  printf 'default_process_types:\n  web: %s\n' "$1"
  exit 0
}

# Sets `jars`: those of a folder, the largest first, since a jar that holds all is larger than what it was made of.
find_jars() { # find_jars FOLDER
  mapfile -t jars < <(find "$1" -maxdepth 1 -type f -name '*.jar' -printf '%s %p\n' 2>/dev/null | sort -rn | cut -d ' ' -f 2-)
}

main_class() { # main_class JAR
  unzip -p "$1" META-INF/MANIFEST.MF 2>/dev/null | tr -d '\r' | sed -nE 's/^Main-Class: *//p'
}

name_spring_jar() {
  local jar
  for jar in "${jars[@]}"; do
    [[ $(main_class "$jar") != org.springframework.boot.loader.* ]] || name_web "java -Dserver.port=\$PORT \$JAVA_OPTS -jar $jar"
  done
}

name_micronaut_jar() {
  local jar
  for jar in "${jars[@]}"; do
    [ -z "$(main_class "$jar")" ] || name_web "java -Dmicronaut.server.port=\$PORT \$JAVA_OPTS -jar $jar"
  done
}
