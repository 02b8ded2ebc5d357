# shellcheck shell=bash disable=SC2154 # app, packages and archives are those of install_aptfile
# Packages of an Aptfile, unpacked without root. Sourced by bin/compile.

LISTS_MINUTES=1440 # the lists of Debian's packages are fetched once a day, and when the Aptfile or the stack is another one

# What is installed where the app runs: the packages of the run stack, and those of the stack layers that it will run with.
list_installed() {
  local layer
  cat /var/lib/dpkg/status-run
  while read -r layer; do
    [ ! -r "/usr/share/skiff/layers/$layer/status-run" ] || { echo && cat "/usr/share/skiff/layers/$layer/status-run"; }
  done < <(cat /tmp/run-layers 2>/dev/null || :)
}

# Sets `options`, of apt-get and apt-cache: all that they keep lies in CACHE, and what is there at run time is not fetched;
# the build stack's own status says more than that.
set_options() { # set_options CACHE
  mkdir -p "$1/state/lists/partial" "$1/archives/partial"
  list_installed >"$1/installed.part"
  # apt indexes its lists anew for a status of another age.
  if cmp -s "$1/installed.part" "$1/installed"; then rm "$1/installed.part"; else mv "$1/installed.part" "$1/installed"; fi
  options=(-qq -o "Dir::State=$1/state" -o "Dir::Cache=$1" -o "Dir::State::status=$1/installed"
    -o Debug::NoLocking=true -o APT::Sandbox::User=root -o APT::Install-Recommends=false)
}

update_lists() { # update_lists CACHE
  rm -f "$1/listed"
  apt-get "${options[@]}" update || {
    echo " !     The lists of Debian's packages can't be fetched; see above, and push again."
    return 1
  }
  cat "$app/Aptfile" "$1/installed" >"$1/listed"
}

lists_are_fresh() { # lists_are_fresh CACHE
  [ -n "$(find "$1/listed" -mmin "-$LISTS_MINUTES" 2>/dev/null)" ] && cat "$app/Aptfile" "$1/installed" | cmp -s - "$1/listed"
}

# Sets `packages` to those of the Aptfile.
read_aptfile() {
  local name names number=0
  packages=()
  while read -ra names || [ ${#names[@]} != 0 ]; do
    number=$((number + 1))
    for name in "${names[@]}"; do
      case "$name" in '#'*) break ;; esac
      if ! [[ $name =~ ^[a-z0-9][a-z0-9+.-]+(=[A-Za-z0-9.+:~-]+)?$ ]]; then
        echo " !     Aptfile line $number: \"$name\" is no name of a package of Debian's; other sources and .deb files are not taken"
        return 1
      elif ! apt-cache "${options[@]}" show "$name" >/dev/null 2>&1; then
        echo " !     Aptfile line $number: Debian has no package \"$name\"; correct its name"
        return 1
      fi
      packages+=("$name")
    done
  done < <(sed -e '1s/^\xEF\xBB\xBF//; s/\r$//' "$app/Aptfile")
}

# Sets `archives`, which make up the packages, and fetches those that the cache lacks. It keeps no other ones.
fetch_archives() { # fetch_archives CACHE
  local file
  apt-get "${options[@]}" -o "Dir::Cache::archives=$(mktemp -d)" --print-uris -y install "${packages[@]}" >/tmp/apt.uris || return
  mapfile -t archives < <(awk '{ print $2 }' /tmp/apt.uris)
  for file in "$1"/archives/*.deb; do
    [[ " ${archives[*]} " == *" ${file##*/} "* ]] || rm -f "$file"
  done
  apt-get "${options[@]}" -y --download-only install "${packages[@]}"
}

# Whether the build has the package itself, and nothing that runs wants it: headers that others depend on.
is_for_builds() { # is_for_builds NAME
  [[ " ${packages[*]/=*/} " != *" $1 "* && $(dpkg-query -W -f '${Status} ${Section}' "$1" 2>/dev/null) =~ ^install\ ok\ installed\ (lib)?devel$ ]]
}

# The descriptions for pkg-config name folders below /usr. They keep their times, so that the app's layer stays the same.
move_pkg_config() { # move_pkg_config FOLDER
  local file
  while IFS= read -r -d '' file; do
    touch -r "$file" /tmp/time-of-file
    sed -i "s#=/usr#=$1/usr#" "$file"
    touch -r /tmp/time-of-file "$file"
  done < <(find "$1" -name '*.pc' -type f -print0)
}

# The environment in a dyno, and from here on in the build.
set_environment() { # set_environment FOLDER
  local multiarch
  multiarch=$(gcc -print-multiarch)
  mkdir -p "$app/.profile.d"
  cat >"$app/.profile.d/apt.sh" <<SH
export PATH="/app/.apt/usr/bin:/app/.apt/usr/sbin:\$PATH"
export LD_LIBRARY_PATH="/app/.apt/usr/lib/$multiarch:/app/.apt/lib/$multiarch:/app/.apt/usr/lib\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}"
SH
  # shellcheck disable=SC1091
  . "$app/.profile.d/apt.sh"
  export LIBRARY_PATH="$LD_LIBRARY_PATH" CPATH="$1/usr/include:$1/usr/include/$multiarch" CMAKE_PREFIX_PATH="$1/usr"
  export PKG_CONFIG_PATH="$1/usr/lib/$multiarch/pkgconfig:$1/usr/lib/pkgconfig:$1/usr/share/pkgconfig"
}

# Unpacks the packages into APP/.apt, and keeps that.
unpack_packages() { # unpack_packages CACHE
  local packages archives file
  rm -rf "$1/whole" "$1/unpacked"
  lists_are_fresh "$1" || update_lists "$1"
  read_aptfile
  # Lists of this morning may name what the mirror has no longer.
  fetch_archives "$1" 2>/dev/null || { update_lists "$1" && fetch_archives "$1"; }
  mkdir -p "$app/.apt"
  for file in "${archives[@]}"; do
    ! is_for_builds "${file%%_*}" || continue
    echo "       ${file%%_*}"
    dpkg-deb --fsys-tarfile "$1/archives/$file" |
      tar -xf - -C "$app/.apt" --exclude=./usr/share/doc --exclude=./usr/share/man --exclude=./usr/share/info --exclude=./usr/share/lintian
  done
  move_pkg_config "$app/.apt"
  cp -a "$app/.apt" "$1/unpacked"
  touch "$1/whole"
}

# install_aptfile APP CACHE: brings the packages of APP/Aptfile, and what they need beyond the run stack and its layers, into
# APP/.apt; sets the environment for the build and leaves it for the run in APP/.profile.d/apt.sh.
install_aptfile() {
  local app=$1 cache=$2 options
  echo "-----> Installing the packages of the Aptfile"
  set_options "$cache"
  if [ -f "$cache/whole" ] && lists_are_fresh "$cache"; then
    echo "       They are those of the build before"
    mkdir -p "$app/.apt"
    cp -a "$cache/unpacked/." "$app/.apt"
  else
    unpack_packages "$cache"
  fi
  set_environment "$app/.apt"
}
