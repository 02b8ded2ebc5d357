# shellcheck shell=bash
# What is installed where the app runs: the packages of the run stack, and those of this build's stack layers.
list_installed() {
  local layer
  cat /var/lib/dpkg/status-run
  while read -r layer; do
    [ ! -r "/usr/share/skiff/layers/$layer/status-run" ] || { echo && cat "/usr/share/skiff/layers/$layer/status-run"; }
  done < <(cat /skiff/out/layers 2>/dev/null || :)
}

# install_aptfile APP CACHE: unpacks the packages of APP/Aptfile, and what they need beyond the run stack and its layers,
# into APP/.apt, without root; sets the environment for the build and leaves it for the run in APP/.profile.d/apt.sh.
install_aptfile() {
  local app=$1 cache=$2 packages=() line number=0 options multiarch file installed
  mkdir -p "$cache/state/lists/partial" "$cache/archives/partial" "$app/.apt" "$app/.profile.d"
  # What is there at run time is not downloaded; the build stack's own status says more than that.
  installed=$(mktemp)
  list_installed >"$installed"
  options=(-qq -o "Dir::State=$cache/state" -o "Dir::Cache=$cache" -o Dir::State::status="$installed"
    -o Debug::NoLocking=true -o APT::Sandbox::User=root -o APT::Install-Recommends=false)
  echo "-----> Installing the packages of the Aptfile"
  apt-get "${options[@]}" update || {
    echo " !     The lists of Debian's packages can't be fetched; see above, and push again."
    return 1
  }
  while read -r line || [ -n "$line" ]; do
    number=$((number + 1))
    case "$line" in '' | '#'*) continue ;; esac
    if ! [[ $line =~ ^[a-z0-9][a-z0-9+.-]+(=[A-Za-z0-9.+:~-]+)?$ ]]; then
      echo " !     Aptfile line $number: \"$line\" is no name of a package; write one name a line"
      return 1
    elif ! apt-cache "${options[@]}" show "$line" >/dev/null 2>&1; then
      echo " !     Aptfile line $number: Debian has no package \"$line\"; correct its name"
      return 1
    fi
    packages+=("$line")
  done < <(tr -d '\r' <"$app/Aptfile")
  apt-get "${options[@]}" -y --download-only install "${packages[@]}"
  # The cache may hold packages of an older Aptfile: only the present ones are unpacked.
  while read -r _ file _; do
    echo "       ${file%%_*}"
    dpkg-deb -x "$cache/archives/$file" "$app/.apt"
  done < <(apt-get "${options[@]}" -o "Dir::Cache::archives=$(mktemp -d)" --print-uris -y install "${packages[@]}")
  multiarch=$(gcc -print-multiarch)
  find "$app/.apt" -name '*.pc' -type f -exec sed -i "s#=/usr#=$app/.apt/usr#" {} +
  cat >"$app/.profile.d/apt.sh" <<SH
export PATH="/app/.apt/usr/bin:/app/.apt/usr/sbin:\$PATH"
export LD_LIBRARY_PATH="/app/.apt/usr/lib/$multiarch:/app/.apt/lib/$multiarch:/app/.apt/usr/lib\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}"
SH
  # shellcheck disable=SC1091
  . "$app/.profile.d/apt.sh"
  export LIBRARY_PATH="$LD_LIBRARY_PATH" CPATH="$app/.apt/usr/include:$app/.apt/usr/include/$multiarch"
  export PKG_CONFIG_PATH="$app/.apt/usr/lib/$multiarch/pkgconfig:$app/.apt/usr/lib/pkgconfig:$app/.apt/usr/share/pkgconfig"
  export CMAKE_PREFIX_PATH="$app/.apt/usr"
}
