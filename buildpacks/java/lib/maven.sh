# shellcheck shell=bash
# Which Maven builds, with which settings, and what its failures mean.

# Sets `maven` (a command) and `maven_name`: the app's wrapper, the version that system.properties names, or Debian's.
choose_maven() { # choose_maven APP CACHE
  local version
  version=$(read_property "$1/system.properties" maven.version)
  if [ -n "$version" ]; then
    fetch_maven "$version" "$2"
  elif has_wrapper "$1"; then
    sed -i 's/\r$//' "$1/mvnw" # from a checkout on Windows, bash would not read it
    export MAVEN_USER_HOME=$2/maven-wrapper
    maven=(bash "$1/mvnw") maven_name="the app's mvnw"
  else
    maven=(mvn --no-transfer-progress) maven_name="Debian's $(dpkg-query -W -f '${Version}' maven 2>/dev/null || echo Maven)"
  fi
}

# Many a repository has the script alone: as on Heroku it is told, and built without.
has_wrapper() { # has_wrapper APP
  [ -f "$1/mvnw" ] || return 1
  [ ! -f "$1/.mvn/wrapper/maven-wrapper.properties" ] || return 0
  echo " !     mvnw is not used: it needs .mvn/wrapper/maven-wrapper.properties, and the repository has none: git add -f .mvn/wrapper"
  return 1
}

# Another Maven comes from where Maven publishes itself as an artifact; Debian's fetches it as it does all others, with
# the app's settings and mirrors, and checks it.
fetch_maven() { # fetch_maven VERSION CACHE
  local version=$1 place=$2/maven/$1 archive=/tmp/maven/apache-maven-$1-bin.tar.gz
  maven=("$place/bin/mvn" --no-transfer-progress) maven_name=$version
  [ ! -x "$place/bin/mvn" ] || return 0
  [[ $version =~ ^[0-9]+(\.[0-9]+)+(-[A-Za-z0-9.-]+)?$ ]] || {
    echo " !     system.properties: maven.version=$version is no version; write one such as maven.version=3.9.9"
    return 1
  }
  echo "-----> Fetching Maven $version"
  # Not in the app's folder, whose pom.xml may be for the other Maven only.
  (cd /tmp && mvn -q -B -Dstyle.color=never "-Dmaven.repo.local=$2/m2/repository" ${settings:+-s "$settings"} \
    org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy "-Dartifact=org.apache.maven:apache-maven:$version:tar.gz:bin" \
    -DoutputDirectory=/tmp/maven) >/tmp/fetch.log 2>&1 || {
    echo " !     system.properties asks for Maven $version, which can't be had:"
    grep -m 1 -oE 'Could not (find|transfer) artifact .*' /tmp/fetch.log | sed -E 's/ -> \[Help 1\]//; s/^/       /' || true
    echo "       Write a version that Maven has released, or leave the line out: Debian's Maven builds then."
    return 1
  }
  rm -rf "$2/maven" "$2/m2/repository/org/apache/maven/apache-maven/$version"
  mkdir -p "$place.part"
  tar -xzf "$archive" -C "$place.part" --strip-components=1
  mv "$place.part" "$place"
}

# Sets `settings` to the file that the app names, in Heroku's order; empty when there is none.
find_settings() { # find_settings APP
  settings=
  if [ -n "${MAVEN_SETTINGS_PATH:-}" ]; then
    settings=$(realpath -m -- "$MAVEN_SETTINGS_PATH")
    [ -f "$settings" ] || {
      echo " !     MAVEN_SETTINGS_PATH names $MAVEN_SETTINGS_PATH, and there is no such file in the app"
      return 1
    }
  elif [ -n "${MAVEN_SETTINGS_URL:-}" ]; then
    settings=/tmp/settings.xml
    curl -fsSL --max-time 60 -o "$settings" "$MAVEN_SETTINGS_URL" 2>/tmp/fetch.log || {
      echo " !     The file that MAVEN_SETTINGS_URL names can't be fetched: $(sed -E 's|//[^/?#]*@|//***@|; q' /tmp/fetch.log)"
      return 1
    }
  elif [ -f "$1/settings.xml" ]; then
    settings=$1/settings.xml
  fi
}

explain_maven_failure() { # explain_maven_failure LOG
  local missing
  missing=$(grep -oE 'Could not (find|resolve|transfer) artifact [^ ]+' "$1" | head -n 1 | sed 's/.* //' || true)
  [ -z "$missing" ] || echo " !     Maven could not get $missing: see the address above. A private repository is named in a settings.xml" \
    "(in the app, or by MAVEN_SETTINGS_PATH or MAVEN_SETTINGS_URL), its password in a config var that it reads as \${env.NAME}."
}
