# shellcheck shell=bash
# What heroku/java and heroku/gradle share: which Java an app asks for, and what its dynos start with.

# The lines of a .properties file without Windows' ends.
read_property() { # read_property FILE KEY
  [ -f "$1" ] || return 0
  tr -d '\r' <"$1" | sed -nE "s/^[[:blank:]]*${2//./\\.}[[:blank:]]*[=:][[:blank:]]*//p" | tail -n 1 | sed -E 's/[[:blank:]]+$//'
}

# The Java that the stack layer brings, such as 17.0.21.1 in /usr/lib/jvm/java-17-openjdk-amd64.
find_java() {
  JAVA_HOME=$(dirname "$(dirname "$(readlink -f "$(command -v javac)")")")
  java_version=$(sed -nE 's/^JAVA_VERSION="([^"]*)"/\1/p' "$JAVA_HOME/release")
  export JAVA_HOME
}

# Sets `asked` and `asked_in` to what the app's files ask for, in the order of precedence; empty when nothing does.
find_asked_java() { # find_asked_java APP
  asked=$(read_property "$1/system.properties" java.runtime.version) asked_in=system.properties
  if [ -z "$asked" ] && [ -f "$1/.java-version" ]; then
    asked=$(head -n 1 "$1/.java-version" | tr -d '\r ') asked_in=.java-version
  fi
  if [ -z "$asked" ] && [ -f "$1/.tool-versions" ]; then
    asked=$(tr -d '\r' <"$1/.tool-versions" | awk '$1 == "java" { print $2; exit }') asked_in=.tool-versions
  fi
}

# Stops the build when the app asks for another Java than there is. A vendor before the number says who built it, and
# nothing about what it understands: "openjdk-17", "temurin-17", "heroku-17" all are 17.
check_java() { # check_java APP
  find_java
  [ ! -d "$1/.jdk-overlay" ] || echo " !     .jdk-overlay is not obeyed: apps share the stack's Java. Certificates of yours go into a trust store of the" \
    "app: JAVA_TOOL_OPTIONS=-Djavax.net.ssl.trustStore=/app/<file>"
  find_asked_java "$1"
  local number major=${java_version%%.*}
  number=${asked##*-}
  number=${number#1.} # as in 1.8
  [[ $java_version == "$number" || $java_version == "$number".* || -z $asked ]] && return 0
  if [[ $number =~ ^$major(\.|$) ]]; then
    echo " !     $asked_in asks for Java $asked, and the stack has $java_version, which gets its security updates."
    echo "       Ask for the line instead of one of its versions: $major"
  else
    echo " !     $asked_in asks for Java $asked, which can't be had here: Debian 12 has Java $major."
    echo "       Ask for $major there, or name a buildpack that brings its own Java: skiff buildpacks:set <git address>"
  fi
  return 1
}

# Says where the Java is that the build says is too old for it.
explain_java_failure() { # explain_java_failure LOG FILE
  if grep -qE 'release version [0-9]+ not supported|invalid (target|source) release|class file version [0-9]+\.0, this version' "$1"; then
    echo " !     This app wants a newer Java than ${java_version%%.*}, which is the one of the stack: see $2 (maven.compiler.target," \
      "sourceCompatibility, or a dependency that needs a newer one)."
  elif grep -qE 'OutOfMemoryError|insufficient memory for the Java' "$1"; then
    echo " !     The build ran out of Java heap. Give it more, such as MAVEN_OPTS=-Xmx2g or org.gradle.jvmargs=-Xmx2g."
  elif grep -qE 'PKIX path building failed|unable to find valid certification path' "$1"; then
    echo " !     A server's certificate is signed by nobody whom this machine trusts: put its authority into" \
      "/usr/local/share/ca-certificates of the host, then: skiff stack:update"
  fi
}

# The profile of the app's dynos, and the export for the buildpacks after this one.
write_java_environment() { # write_java_environment APP PACK
  mkdir -p "$1/.profile.d"
  cp "$shared/lib/jvm_profile.sh" "$1/.profile.d/jvm.sh"
  printf 'export JAVA_HOME=%q\n' "$JAVA_HOME" >"$2/export"
}

# For a jar that can be run, where the app says nothing: the line that a Procfile needs.
suggest_process() { # suggest_process JAR...
  local jar manifest
  for jar in "$@"; do
    manifest=$(unzip -p "$jar" META-INF/MANIFEST.MF 2>/dev/null) || continue
    [[ $manifest == *Main-Class:* && $manifest != *org.springframework.boot.loader.* ]] || continue
    echo " !     $jar can be run, and nothing says that it should be. A Procfile does: web: java -jar $jar"
  done
}
