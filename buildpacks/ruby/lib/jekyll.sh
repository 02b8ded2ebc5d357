# shellcheck shell=bash disable=SC2016,SC2154 # what bin/compile sets
# Builds a Jekyll site and leaves it to nginx. Sourced by bin/compile.

MAX_KEPT_MB=500 # of what a site's plugins keep between builds

# Sets `destination`, `cache_folder`, `baseurl` and the array `kept` (paths below the app that a build keeps), as _config.yml has them.
read_site_config() {
  local lines
  mapfile -t lines < <(python3 "$pack/lib/site_config.py" "$app/$config")
  [ "${lines[0]:-}" = ok ] || fail "${lines[@]:1}"
  destination=${lines[1]}
  cache_folder=${lines[2]}
  baseurl=${lines[3]}
  kept=("$cache_folder" "${lines[@]:4}")
}

# What the last build left, unless the repository has a folder of that name itself.
restore_kept() {
  local path number=0
  rm -rf "$store/kept.now"
  save=()
  for path in "${kept[@]}"; do
    number=$((number + 1))
    [ ! -e "$app/$path" ] || continue
    save+=("$path")
    if [ -e "$store/kept/$path" ]; then
      mkdir -p "$app/$(dirname "$path")"
      cp -a "$store/kept/$path" "$app/$path"
    fi
  done
}

keep_kept() {
  local path used
  rm -rf "$store/kept"
  mkdir -p "$store/kept" "$SKIFF_CACHE_DIR" # a site may keep nothing, and a plugin remove its folder
  for path in "${save[@]}"; do
    [ -e "$app/$path" ] || continue
    mkdir -p "$store/kept/$(dirname "$path")"
    if [ "$path" = "$cache_folder" ]; then mv "$app/$path" "$store/kept/$path"; else cp -a "$app/$path" "$store/kept/$path"; fi
  done
  used=$(du -smc "$store/kept" "$SKIFF_CACHE_DIR" | tail -n 1 | cut -f1)
  if [ "$used" -gt "$MAX_KEPT_MB" ]; then
    warn "What the site keeps between builds takes $used MB, more than $MAX_KEPT_MB: it begins anew at the next push."
    rm -rf "$store/kept" "$SKIFF_CACHE_DIR"
  fi
}

# Jekyll's words without Ruby's stack trace: "/app/_plugins/x.rb:3:in `generate': boom (RuntimeError)" keeps place and message.
plain_messages() {
  if [ -n "${DEBUG:-}" ]; then
    cat
  else
    sed -uE -e 's/\x1b\[[0-9;]*m//g' -e "/^[[:blank:]]*(from |[0-9]+: from )?[^[:blank:]]+:[0-9]+:in [\`'][^']*'[[:blank:]]*$/d" \
      -e '/^[[:blank:]]+-{20,}[[:blank:]]*$/d' -e '/Please append `--trace`/d' -e '/See full trace by running task with --trace/d' \
      -e '/for any additional information or backtrace/d' -e '/^[[:blank:]]*$/d' -e '/^[^[:blank:]]+:[0-9]+: warning: /d' \
      -e "s#^/app/([^:]*):([0-9]+):in [\`'][^']*': #\\1, line \\2: #" -e "s#^(/[^:]*|<[^>]*>):[0-9]+:in [\`'][^']*': ##"
  fi
}

explain_jekyll() { # explain_jekyll LOG
  local gem
  gem=$(sed -nE "s/.*cannot load such file -- ([^ ]+).*/\\1/p; s/.*Could not find '([^']+)'.*/\\1/p; s/.*The ([^ ]+) theme could not be found.*/\\1/p" "$1" | tail -n 1)
  if [ -n "$gem" ] && [ ! -f Gemfile ]; then
    fail "The site needs $gem, which is not among Debian's plugins for Jekyll." \
      "Name it in a Gemfile (gem \"jekyll\", gem \"$gem\"), run \"bundle lock --add-platform $platform\", commit both, and push again."
  elif [ -n "$gem" ]; then
    fail "The site needs $gem, which the Gemfile does not bring: name it there, run \"bundle lock\", commit both, and push again."
  fi
  fail "Jekyll: $(python3 "$pack/lib/jekyll_reason.py" "$1")"
}

# Jekyll copies what it does not know: what tells Skiff how to build and run is no page of the site.
hide_build_files() {
  local name
  for name in Procfile static.json Aptfile app.json Rakefile config.ru package.json package-lock.json yarn.lock pnpm-lock.yaml; do
    ! cmp -s "$name" "$destination/$name" || rm "$destination/$name"
  done
}

# Sets `command`: the task assets:precompile of a Rakefile, by which sites have been built at Heroku, or Jekyll's own.
choose_build() {
  command=(jekyll build)
  [ ! -f Gemfile ] || command=(bundle exec jekyll build)
  [ -z "${DEBUG:-}" ] || command+=(--trace)
  if [ -f Rakefile ] && lock_has rake && bundle exec rake -P 2>/dev/null | grep -x 'rake assets:precompile' >/dev/null; then
    command=(bundle exec rake assets:precompile)
  fi
}

run_build() {
  say_step "Running: JEKYLL_ENV=$JEKYLL_ENV $*"
  if ! "$@" 2>&1 </dev/null | tee /tmp/jekyll.log | plain_messages | indent; then
    explain_jekyll /tmp/jekyll.log
  fi
}

build_site() {
  local command
  export JEKYLL_ENV=${JEKYLL_ENV:-production} SKIFF_CACHE_DIR=$store/plugins
  mkdir -p "$SKIFF_CACHE_DIR"
  restore_kept
  choose_build
  run_build "${command[@]}"
  if [ ! -d "$app/$destination" ] && [ "${command[*]: -1}" = assets:precompile ]; then run_build bundle exec jekyll build; fi
  [ -d "$app/$destination" ] || fail "Jekyll left no folder $destination: see what it says above."
  hide_build_files
  python3 "$pack/lib/keep_times.py" "$app/$destination" "$store/times.json"
  keep_kept
}

# nginx serves the site as it serves a static one, with addresses without endings; static.json may say otherwise.
# The links of a site with a baseurl lead below that, so it is there, as with `jekyll serve`.
serve_statically() {
  [ ! -f static.json ] || cp static.json /tmp/static.json
  if [ -n "$baseurl" ]; then
    mkdir -p "$app/.skiff/site/$(dirname "$baseurl")"
    ln -s "$app/$destination" "$app/.skiff/site/$baseurl"
    say_step "The site is at /$baseurl/, its baseurl; / leads there"
  fi
  python3 "$pack/lib/static_json.py" "$app" "$destination" "$baseurl"
  bash /skiff/buildpacks/static/bin/compile "$app" || exit 1
  rm -f static.json
  [ ! -f /tmp/static.json ] || cp /tmp/static.json static.json
}

# `jekyll serve` is made for the author's own machine: it would build again at each start, and answer one request at a time.
replace_jekyll_serve() {
  local type command line
  while read -r type command; do
    serves_by_jekyll "$command" || continue
    line=$(grep -nE "^[[:blank:]]*${type}[[:blank:]]*:" Procfile | head -n 1 | cut -d : -f 1)
    sed -i "${line}s#:.*#: .skiff/serve#" Procfile
    warn "The Procfile's $type runs \"$command\": jekyll serve is for writing, not for visitors. nginx serves the built site instead." \
      "Remove that line from the Procfile: a Jekyll site needs none. To serve by Ruby: web: bundle exec puma -p \$PORT"
  done < <(list_processes)
}
