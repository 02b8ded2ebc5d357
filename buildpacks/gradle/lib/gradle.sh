# shellcheck shell=bash
# Which Gradle builds, what it is told to build, and what its failures mean.

# Sets `gradle` (a command) and `gradle_name`: the app's wrapper, else Debian's.
choose_gradle() { # choose_gradle APP
  local properties=$1/gradle/wrapper/gradle-wrapper.properties
  if [ ! -f "$1/gradlew" ]; then
    gradle=(gradle) gradle_name="Debian's $(dpkg-query -W -f '${Version}' gradle 2>/dev/null || echo Gradle)"
    echo " !     The repository has no Gradle wrapper: Debian's Gradle, which is an old one, builds. Add yours: gradle wrapper"
    return
  fi
  for file in "$1/gradle/wrapper/gradle-wrapper.jar" "$properties"; do
    [ -s "$file" ] || {
      echo " !     gradlew needs ${file#"$1/"}, and the repository has none (a .gitignore may leave it out): git add -f ${file#"$1/"}"
      return 1
    }
  done
  sed -i 's/\r$//' "$1/gradlew" # from a checkout on Windows, bash would not read it
  gradle=(bash "$1/gradlew") gradle_name=$(read_property "$properties" distributionUrl)
  gradle_name=${gradle_name##*/} gradle_name=${gradle_name%-bin.zip}
}

# Text of the build files, where the tasks and plugins stand, without comments of whole lines.
build_files() { # build_files APP
  (
    cd "$1" && shopt -s nullglob
    cat /dev/null ./*.gradle ./*.gradle.kts gradle/*.gradle gradle/*.gradle.kts gradle/libs.versions.toml 2>/dev/null
  ) | grep -vE '^[[:blank:]]*(//|\*|/\*|#)' || true
}

# `stage` where the app has it, as on Heroku; else what the plugins make runnable.
default_task() { # default_task APP
  local text
  text=$(build_files "$1")
  if grep -qE "\btask[[:blank:](]+[\"']?stage\b|\b(register|create|maybeCreate)(<[^>]*>)?[[:blank:](]+[\"']stage[\"']|\bval +stage +by +tasks\." <<<"$text"; then
    echo stage
  elif grep -qE 'org\.springframework\.boot|io\.quarkus' <<<"$text"; then
    echo build -x check
  elif grep -q 'io\.micronaut' <<<"$text" && grep -q 'shadow' <<<"$text"; then
    echo shadowJar -x check
  elif grep -qE "id[[:blank:](]*[\"'](application|com\.github\.johnrengelman\.shadow|io\.ratpack\.ratpack-java)[\"']|apply plugin: *[\"']application[\"']|^[[:blank:]]*application[[:blank:]]*$" <<<"$text"; then
    echo installDist -x test
  else
    echo assemble
  fi
}

explain_gradle_failure() { # explain_gradle_failure LOG TASK
  local address
  if grep -qE 'UnknownHostException|Downloading https?://.*gradle|Could not (install|download) Gradle distribution' "$1" && ! grep -q 'FAILURE: Build failed' "$1"; then
    address=$(grep -oE 'https?://[^ ]+\.zip' "$1" | head -n 1 || true)
    echo " !     The wrapper could not get its Gradle${address:+ from $address}: gradle/wrapper/gradle-wrapper.properties names the address" \
      "(distributionUrl); a mirror of yours can stand there."
  elif grep -qE "Task '[^']+' not found in (root )?project" "$1"; then
    echo " !     The build has no task \"$2\": name one that it has with skiff config:set GRADLE_TASK=<task>, or add a task \"stage\"."
  elif grep -qE 'Could not (resolve|GET|HEAD) ' "$1"; then
    echo " !     Gradle could not get a dependency: see the address above. Addresses and passwords of a private repository come by" \
      "config vars, as in ORG_GRADLE_PROJECT_name."
  elif grep -qE 'Could not determine java version|Unsupported class file major version|Could not create service of type' "$1"; then
    echo " !     This Gradle is too old for Java ${java_version%%.*}: bring a newer wrapper (gradle wrapper --gradle-version 8.5)."
  fi
}
