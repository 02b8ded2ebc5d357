# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with bin/build
# Which buildpacks build the app. Sourced by bin/build.

# The names of the buildpacks that lie beside this script, in the order in which they are asked: that of Heroku's.
built_in=()
for name in ruby nodejs python java gradle go cpp static apt; do
  [ ! -f "$packs/$name/bin/compile" ] || built_in+=("$name")
done
is_built_in() {
  [[ " ${built_in[*]} " == *" $1 "* ]]
}

join_names() {
  local IFS=,
  sed 's/,/, /g' <<<"$*"
}

# Sets `pack` to a copy of a built-in one: a buildpack may write into its own folder, as `export` is.
use_built_in() {
  uses_built_in=yes
  pack=$(mktemp -d)/$1
  cp -r "$packs/$1" "$pack"
}

# A buildpack is named by the built-in one's name, a folder of the app or of the machine, or the address of an archive
# or a git repository with an optional #branch. Sets `pack`.
fetch_buildpack() {
  local address=$1 name=$1 ref shown
  name=${name#skiff/} name=${name#heroku/} name=${name#heroku-community/}
  shown=$(sed -E 's|//[^/?#]*@|//***@|' <<<"$address") # without the password that it may hold
  if is_built_in "$name"; then
    use_built_in "$name"
    return
  elif [ -d "$address" ]; then
    pack=$(cd "$address" && pwd)
  elif [[ $address != *:* ]]; then
    [[ $address == heroku/* && $name =~ ^[a-z-]+$ ]] || name=NAME
    fail "There is no buildpack $address: it is neither a built-in one ($(join_names "${built_in[@]}")) nor a folder of the app." \
      "Name it by the address of its repository or archive, such as https://github.com/heroku/heroku-buildpack-$name"
  else
    [[ $address != *ssh://* && ($address == *://* || $address != *@*:*) ]] ||
      fail "The buildpack $shown can't be fetched: a build has no key for ssh; name its https address."
    pack=$(mktemp -d)
    case "$address" in
      *.tgz | *.tar.gz)
        curl -fsSL --max-time 300 "$address" 2>/tmp/fetch.log >/tmp/pack.tgz ||
          fail "The buildpack $shown can't be fetched: $(head -n 1 /tmp/fetch.log)"
        tar -xzf /tmp/pack.tgz -C "$pack" 2>/tmp/fetch.log ||
          fail "The buildpack $shown is no archive: $(head -n 1 /tmp/fetch.log)"
        rm /tmp/pack.tgz ;;
      *)
        [[ $address == *'#'* ]] && ref=(--branch "${address##*#}") || ref=()
        git clone --quiet --depth 1 "${ref[@]}" "${address%%#*}" "$pack" 2>/tmp/fetch.log ||
          fail "The buildpack $shown can't be fetched: $(grep -m 1 . /tmp/fetch.log)" ;;
    esac
  fi
  [ -f "$pack/bin/compile" ] || fail "The buildpack $shown has no bin/compile: it is no classic buildpack."
}

# An app of a language that no built-in buildpack knows: raw sources are neither built as something else nor served.
refuse_language() { # refuse_language LANGUAGE FILE BUILDPACK
  local lines=("This is a $1 app ($2), and no built-in buildpack is made for $1.")
  [ -z "$3" ] || lines+=("Name one that is: skiff config:set BUILDPACK_URL=$3")
  [ -n "$3" ] || lines+=("Name one that is: skiff config:set BUILDPACK_URL=<address of a git repository>")
  [ ! -f CMakeLists.txt ] && [ ! -f Makefile ] || lines+=("To build it as C++ all the same: BUILDPACK_URL=cpp")
  [ ! -f index.html ] && [ ! -d public_html ] || lines+=(
    "To serve its pages as they are: put them into a folder, and its name into a static.json: { \"root\": \"public\" }")
  fail "${lines[@]}"
}

# Sets `pack` when the built-in buildpack NAME takes the app for its own.
detect() { # detect NAME
  is_built_in "$1" && bash "$packs/$1/bin/detect" /app >/dev/null && use_built_in "$1"
}

# A language's own file wins over what C++ or a page would take the app for. Of several languages the first builds.
detect_language() {
  local name first='' also=()
  for name in "${built_in[@]}"; do
    case $name in cpp | static | apt) continue ;; esac
    bash "$packs/$name/bin/detect" /app >/dev/null || continue
    if [ -z "$first" ]; then first=$name; else also+=("$name"); fi
  done
  [ -n "$first" ] || return 1
  use_built_in "$first"
  [ ${#also[@]} = 0 ] || echo " !     This app is also one of $(join_names "${also[@]}"), and $first alone builds it. To have both, name them in" \
    "their order: skiff buildpacks:add heroku/${also[0]}, then skiff buildpacks:add heroku/$first"
}

refuse_others() {
  local language
  mapfile -t language < <(python3 "$packs/lib/languages.py" /app)
  [ ${#language[@]} = 0 ] || refuse_language "${language[@]}"
}

refuse_unknown() {
  local lines file
  lines=("No buildpack detects this app."
    "A C++ app has a CMakeLists.txt or Makefile and a Procfile; a static site has an index.html or a static.json."
    "Another buildpack is chosen with: skiff buildpacks:set <name or git address>")
  file=$(find . -mindepth 2 -maxdepth 2 -type f ! -path './.*' \( -name package.json -o -name Gemfile -o -name _config.yml -o -name go.mod \
    -o -name requirements.txt -o -name pom.xml -o -name CMakeLists.txt -o -name index.html \) -printf '%P\n' | LC_ALL=C sort | sed -n 1p)
  [ -z "$file" ] || lines+=("The app seems to be in a folder ($file). To push that alone: git subtree push --prefix ${file%%/*} skiff main")
  fail "${lines[@]}"
}

# An Aptfile is for every built-in buildpack, detected or named. Where a named one reads it (ours, or somebody's by its
# address), that place in the order counts; and a list of others' alone does with the file what it likes.
put_apt_first() {
  local address
  [ -f Aptfile ] && [ -n "$uses_built_in" ] && is_built_in apt || return 0
  for address in "${addresses[@]}"; do
    [[ ! $address =~ (^|[/-])apt([./#-]|$) ]] || return 0
  done
  use_built_in apt
  chosen=("$pack" "${chosen[@]}")
}

# Sets `chosen`: BUILDPACK_URL, what `skiff buildpacks:set` set, a .buildpacks file, else the first built-in one that
# detects. `named` says that they were named.
choose_buildpacks() {
  local address addresses=()
  if [ -s "$input/env/BUILDPACK_URL" ]; then
    addresses=("$(cat "$input/env/BUILDPACK_URL")")
  elif [ -s "$input/buildpacks" ]; then
    mapfile -t addresses < <(list_entries "$input/buildpacks")
  elif [ -f .buildpacks ]; then
    mapfile -t addresses < <(list_entries .buildpacks)
  fi
  chosen=()
  uses_built_in=
  named=yes
  for address in "${addresses[@]}"; do
    fetch_buildpack "$address"
    chosen+=("$pack")
  done
  if [ ${#chosen[@]} = 0 ]; then
    named=
    [ ! -f static.json ] || [ -f _config.yml ] || use_built_in static
    [ -n "${pack:-}" ] || detect_language || refuse_others
    [ -n "${pack:-}" ] || detect cpp || detect static || :
    chosen=(${pack:+"$pack"})
  fi
  [ ${#chosen[@]} -gt 0 ] || refuse_unknown
  put_apt_first
}
