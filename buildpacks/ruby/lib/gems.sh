# shellcheck shell=bash disable=SC2154 # what bin/compile sets
# The gems of Gemfile.lock. Sourced by bin/compile.

network_seconds=15 # for an answer of a gem server; one that can't be reached is told at once
MAX_GEMS_MB=1500   # of gems that are kept for a site

# Bundler's own switches that the build decides; all others are the app's.
set_bundler_environment() {
  unset RUBYOPT RUBYLIB GEM_HOME GEM_PATH BUNDLE_PATH BUNDLE_DEPLOYMENT BUNDLE_GEMFILE BUNDLE_BIN
  # The version that is here, whatever BUNDLED WITH says: Bundler would fetch that one otherwise.
  export BUNDLER_VERSION=$bundler_version BUNDLE_FROZEN=true BUNDLE_APP_CONFIG=/tmp/bundle BUNDLE_SILENCE_ROOT_WARNING=1 BUNDLE_IGNORE_MESSAGES=1
  export BUNDLE_WITHOUT=${BUNDLE_WITHOUT:-development:test} BUNDLE_GLOBAL_GEM_CACHE=false BUNDLE_DISABLE_VERSION_CHECK=1
  export BUNDLE_TIMEOUT=${BUNDLE_TIMEOUT:-$network_seconds} BUNDLE_RETRY=${BUNDLE_RETRY:-1} BUNDLE_JOBS=${BUNDLE_JOBS:-4}
  export BUNDLE_USER_HOME=/tmp/bundle-home GEM_SPEC_CACHE=/tmp/gem-specs
  if grep -qsE '^[[:blank:]]*ruby[ (]+:?file' Gemfile; then export RUBYOPT="-r$pack/lib/ruby_file.rb"; fi
  if [ -f .bundle/config ]; then
    warn "Not used: .bundle/config, which is one machine's own. Bundler's settings are config vars: skiff config:set BUNDLE_WITHOUT=test"
    rm .bundle/config
  fi
}

# A site that nginx serves is built with Debian's gems where they are the ones of the lock; the others lie in the cache.
# What Ruby runs has all of its gems in vendor/bundle.
choose_gem_folder() {
  if [ -n "$runs_ruby" ]; then
    gems=$app/vendor/bundle
    export BUNDLE_PATH=$gems
  else
    gems=$store/gems
    export GEM_HOME=$gems
  fi
}

list_debian_gems() {
  ls /usr/share/rubygems-integration/*/specifications /usr/lib/*/rubygems-integration/*/specifications 2>/dev/null || true
}

# All that decides which gems there are.
gems_stamp() {
  {
    cat Gemfile Gemfile.lock ./*.gemspec 2>/dev/null || true
    printf '%s\n' "$ruby_version" "$runs_ruby" "$BUNDLE_WITHOUT" "${BUNDLE_ONLY:-}" "${BUNDLE_WITH:-}"
    cat Aptfile /usr/share/skiff/layers/ruby/run-programs 2>/dev/null || true
    list_debian_gems
  } | sha256sum | cut -d ' ' -f 1
}

# A Jekyll site may leave its lock file out, as those of GitHub's pages do; what is served by Ruby may not.
make_lock() {
  if [ -n "$runs_ruby" ]; then
    fail "There is a Gemfile and no Gemfile.lock, which says the version of each gem." \
      "Run \"bundle lock --add-platform $platform\", commit Gemfile.lock (see that .gitignore does not name it), and push again."
  fi
  made_for=$({ cat Gemfile && list_debian_gems; } | sha256sum | cut -d ' ' -f 1)
  if [ "$(cat "$store/made-for" 2>/dev/null)" = "$made_for" ]; then
    say_step "There is no Gemfile.lock: taking the versions of the last push"
    cp "$store/made.lock" Gemfile.lock
  else
    say_step "There is no Gemfile.lock: choosing versions now, Debian's where they will do"
    { BUNDLE_FROZEN=false bundle lock --local >/tmp/bundle.log 2>&1 || BUNDLE_FROZEN=false bundle lock >>/tmp/bundle.log 2>&1; } ||
      explain_bundler /tmp/bundle.log
  fi
  warn "Commit a Gemfile.lock (bundle lock --add-platform $platform), so that each push has the same gems."
}

# For the next push, once a site could be built with it.
keep_made_lock() {
  [ -n "${made_for:-}" ] || return 0
  cp Gemfile.lock "$store/made.lock"
  echo "$made_for" >"$store/made-for"
}

# Debian's gems of the lock's versions, copied to where Bundler looks for what is installed.
take_debian_gems() {
  local found folder
  folder=$gems/$(ruby -e 'print "#{Gem.ruby_engine}/#{RbConfig::CONFIG["ruby_version"]}"')
  rm -rf /tmp/debian-gems
  ruby "$pack/lib/debian_gems.rb" Gemfile.lock /tmp/debian-gems
  found=(/tmp/debian-gems/*.gem)
  [ -e "${found[0]}" ] || return 0
  gem install --quiet --silent --local --force --ignore-dependencies --no-document --install-dir "$folder" "${found[@]}" >/tmp/gem.log 2>&1 ||
    warn "Debian's gems can't be copied, so they are fetched: $(tail -n 1 /tmp/gem.log)"
}

# Another version of this buildpack may have laid out what is kept in another way.
drop_gems_of_other_versions() {
  local version
  version=$(cat "$pack"/lib/{gems.sh,debian_gems.rb,gnu_platform.rb,plain_platforms.py} | sha256sum | cut -d ' ' -f 1)
  [ "$(cat "$store/laid-out-by" 2>/dev/null)" = "$version" ] || rm -rf "$store/gems" "$store/bundle" "$store/stamp"
  echo "$version" >"$store/laid-out-by"
}

# Gems of a lock that names binaries for glibc are fetched by that lock; the app gets the one that Debian's RubyGems reads.
fetch_gems() {
  cp Gemfile.lock /tmp/plain.lock
  cp /tmp/pushed.lock Gemfile.lock
  cmp -s /tmp/plain.lock /tmp/pushed.lock || set -- "-r$pack/lib/gnu_platform.rb"
  RUBYOPT="${RUBYOPT:-} ${*-}" bundle install || return
  cp /tmp/plain.lock Gemfile.lock
  python3 "$pack/lib/plain_platforms.py" gems "$gems" "$platform"
}

install_gems() {
  local stamp began
  python3 "$pack/lib/lock.py" "$app" "$platform" || exit 1
  cp Gemfile.lock /tmp/pushed.lock
  python3 "$pack/lib/plain_platforms.py" lock Gemfile.lock "$platform"
  drop_gems_of_other_versions
  stamp=$(gems_stamp)
  if [ "$(cat "$store/stamp" 2>/dev/null)" = "$stamp" ] && restore_gems; then
    say_step "The gems of Gemfile.lock are those of the last build"
    return
  fi
  began=$SECONDS
  rm -f "$store/stamp"
  restore_gems || mkdir -p "$gems"
  say_step "Installing gems with Bundler $BUNDLER_VERSION (without: ${BUNDLE_WITHOUT//:/, })"
  [ -z "$runs_ruby" ] || take_debian_gems
  if bundle install --local >/tmp/bundle.log 2>&1; then
    indent <<<"Nothing to fetch: all are here"
  else
    fetch_gems 2>&1 | tee /tmp/bundle.log | sed -uE '/^(Using|Fetching gem metadata|Bundle complete|Bundled gems|Use .bundle info|Gems in the group)/d' |
      indent || explain_bundler /tmp/bundle.log
    bundle clean --force >/dev/null 2>&1 || true # of versions that the lock no longer names
    indent <<<"$(grep -c '^Installing ' /tmp/bundle.log || true) gems installed in $((SECONDS - began)) s"
  fi
  rm -rf "$gems"/cache "$gems"/ruby/*/cache # the .gem files; gems have folders of that name, too
  find "$gems" \( -name mkmf.log -o -name gem_make.out \) -delete 2>/dev/null || true
  keep_gems
  echo "$stamp" >"$store/stamp"
}

# The copy has the times of the original, so that the layer of vendor/bundle is the same, byte for byte.
restore_gems() {
  if [ -z "$runs_ruby" ]; then
    [ -d "$gems" ]
  else
    [ -d "$store/bundle" ] && mkdir -p vendor && rm -rf vendor/bundle && cp -a "$store/bundle" vendor/bundle
  fi
}

keep_gems() {
  if [ -n "$runs_ruby" ]; then
    # Whole or not at all: a build may be stopped at any moment.
    rm -rf "$store/bundle" "$store/bundle.part"
    cp -a vendor/bundle "$store/bundle.part"
    mv "$store/bundle.part" "$store/bundle"
  elif [ "$(du -sm "$gems" | cut -f1)" -gt "$MAX_GEMS_MB" ]; then
    warn "The gems take more than $MAX_GEMS_MB MB: they are fetched anew at the next push"
    touch "$store/drop"
  fi
}

# What a gem with C code lacked: Bundler's message, and what the compiler's log says beyond it.
explain_gem() { # explain_gem LOG
  local gem
  gem=$(sed -nE 's/^An error occurred while installing ([^ ]+) .*/\1/p' "$1" | head -n 1)
  find "$gems" -name mkmf.log -exec cat {} + >/tmp/mkmf.log 2>/dev/null || true
  warn "The gem ${gem:-with C code} could not be compiled."
  explain_native_code /tmp/mkmf.log "$1" || warn "The compiler's own words stand above."
  exit 1
}

# Says last what a failed Bundler means and what to do.
explain_bundler() { # explain_bundler LOG
  local source host gem
  if grep -q 'Failed to build gem native extension' "$1"; then explain_gem "$1"; fi
  if grep -qE 'deployment mode|frozen|gemspecs for path gems changed|dependencies in your gemfile changed' "$1"; then
    grep -E '^(You have|You are|\* |The )' "$1" | head -n 12 | indent
    fail "Gemfile.lock is not up to date with the Gemfile." "Run \"bundle lock\", commit both, and push again."
  fi
  if grep -qE 'Your Ruby version is' "$1"; then fail "$(grep -m 1 'Your Ruby version is' "$1")"; fi
  gem=$(tr '\n' ' ' <"$1" | sed -nE 's/.*[ ]([a-z][^ ]*)-([0-9][^ ]*) requires ruby version ([^,]+), which.*/\1 \2 needs Ruby \3/Ip' | head -n 1)
  if [ -n "$gem" ]; then
    fail "The gem $gem, and there is Ruby $ruby_version (Debian 12's, with its security updates)." \
      "Write ruby \"~> ${ruby_version%.*}.0\" into the Gemfile, run \"bundle update ${gem%% *}\", commit both files, and push again."
  fi
  if grep -qE "Could not reach host|Could not fetch specs|Network error|Net::(Open|Read)Timeout|SocketError|Could not find '?https?|certificate verify|Connection refused" "$1"; then
    source=$(sed -nE 's/.*(https?:[^ ]+[^ .)]).*/\1/p' "$1" | sed -E 's#//[^/@]*@#//#' | head -n 1)
    host=$(sed -nE 's/.*Could not reach host ([^ ]+[^ .]).*/\1/p' "$1" | head -n 1)
    fail "The server of the gems ${source:-${host:-that the Gemfile names}} can't be reached from here." \
      "Name a mirror of it: skiff config:set BUNDLE_MIRROR__ALL=<address>, or take the gems along: bundle cache && git add vendor/cache"
  fi
  if grep -qE 'Authentication is required|Bad username or password|401 Unauthorized|403 Forbidden' "$1"; then
    source=$(sed -nE 's/.*(https?:[^ ]+[^ .)]).*/\1/p' "$1" | sed -E 's#//[^/@]*@#//#' | head -n 1)
    host=$(sed -E 's#^https?://##; s#[/:].*##; s#\.#__#g; s#-#___#g' <<<"${source:-gems.example.com}")
    fail "The gem server ${source:-} asks for a password." "Give it: skiff config:set BUNDLE_${host^^}=<user>:<password>"
  fi
  if grep -qE "Could not find gem|Could not find [^ ]+-[0-9]|can no longer be found|has removed it|in any of the sources" "$1"; then
    grep -E 'Could not find|no longer be found|has removed it|any of the sources' "$1" | head -n 5 | indent
    [ ! -d vendor/cache ] || fail "A gem of Gemfile.lock is not in vendor/cache; which one stands above. With that folder Bundler asks no server." \
      "Run \"bundle cache --all-platforms\", commit vendor/cache, and push again."
    fail "A gem of Gemfile.lock can't be had; which one stands above." \
      "If it was withdrawn: bundle update <gem>, commit Gemfile.lock, and push again."
  fi
  tail -n 20 "$1" | grep -vE '^[[:space:]]+(/|from )' | indent
  fail "Bundler failed; what it said stands above."
}
