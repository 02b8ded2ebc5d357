# shellcheck shell=bash disable=SC2016,SC2154 # what bin/compile sets; what is for the dyno
# What a Rack or Rails app has beyond its gems: its assets, and its environment in a dyno. Sourced by bin/compile.

# Rails signs its sessions with it: one for the app's life, and another one than the config var only where there is none.
choose_secret() {
  [ -s "$store/secret" ] || (umask 077 && ruby -rsecurerandom -e 'puts SecureRandom.hex(64)' >"$store/secret")
  secret=$(cat "$store/secret")
}

set_rails_environment() {
  export RACK_ENV=${RACK_ENV:-production}
  is_rails || return 0
  choose_secret
  export RAILS_ENV=${RAILS_ENV:-production} SECRET_KEY_BASE=${SECRET_KEY_BASE:-$secret}
  export RAILS_LOG_TO_STDOUT=${RAILS_LOG_TO_STDOUT:-enabled} RAILS_SERVE_STATIC_FILES=${RAILS_SERVE_STATIC_FILES:-enabled}
}

# Rails reads the address of its database when it starts, and assets need none: one that fits the gems will do.
default_database() {
  local adapter=postgres
  if lock_has mysql2; then adapter=mysql2; elif lock_has sqlite3 && ! lock_has pg; then adapter=sqlite3; fi
  if [ "$adapter" = sqlite3 ]; then echo "sqlite3:/tmp/assets.sqlite3"; else echo "$adapter://user:pass@127.0.0.1/dbname"; fi
}

# `rake assets:precompile`, where the app has that task and no assets in its repository.
precompile_assets() {
  [ -f Rakefile ] || return 0
  lock_has rake || return 0
  if compgen -G 'public/assets/.sprockets-manifest-*.json' >/dev/null || [ -f public/assets/manifest.json ] || [ -f public/assets/.manifest.json ]; then
    indent <<<"public/assets has a manifest: its assets are taken as they are"
    return
  fi
  if is_rails; then export DATABASE_URL=${DATABASE_URL:-$(default_database)}; fi
  if ! bundle exec rake -P >/tmp/rake.log 2>&1; then
    plain_messages </tmp/rake.log | tail -n 20 | indent
    fail "The Rakefile can't be loaded; what it said stands above. \"bundle exec rake -P\" shows it on your machine."
  fi
  grep -q '^rake assets:precompile$' /tmp/rake.log || return 0
  [ ! -d "$store/assets" ] || { mkdir -p tmp/cache && cp -a "$store/assets" tmp/cache/assets; }
  say_step "Running: rake assets:precompile"
  if ! bundle exec rake assets:precompile 2>&1 </dev/null | plain_messages | tee /tmp/rake.log | indent; then
    if grep -qE "ExecJS::RuntimeUnavailable|Could not find a JavaScript runtime" /tmp/rake.log; then
      fail "The assets need a JavaScript runtime: skiff buildpacks:add --index 1 heroku/nodejs"
    elif grep -qE "(yarn|npm|node): (command )?not found|No such file or directory - (yarn|npm|node)|Please install (Y|y)arn" /tmp/rake.log; then
      fail "The assets are made by packages of npm: commit package.json with its lock file, and" "skiff buildpacks:add --index 1 heroku/nodejs"
    fi
    fail "rake assets:precompile failed; what it said stands above."
  fi
  rm -rf "$store/assets"
  [ ! -d tmp/cache/assets ] || mv tmp/cache/assets "$store/assets"
}

# Bootsnap notes where each file was found, and believes that of the system's folders: a dyno has fewer of them than a build.
drop_bootsnap_cache() { rm -rf tmp/cache/bootsnap tmp/cache/bootsnap-*; }

# The environment of each dyno: .profile.d/ruby.sh.
write_profile() {
  local folder
  folder=$(cd vendor/bundle/ruby/* 2>/dev/null && pwd || echo /app/vendor/bundle)
  mkdir -p .profile.d
  {
    cat "$pack/lib/profile.sh"
    printf 'export BUNDLE_PATH=/app/vendor/bundle BUNDLE_APP_CONFIG=/tmp/bundle BUNDLER_VERSION=%q\n' "$BUNDLER_VERSION"
    printf 'export BUNDLE_FROZEN=true BUNDLE_WITHOUT=${BUNDLE_WITHOUT:-%q} BUNDLE_DISABLE_VERSION_CHECK=1\n' "$BUNDLE_WITHOUT"
    # Also for what runs without "bundle exec". The colon at the end stands for the folders of Debian's gems.
    printf 'export PATH="/app/bin:%s/bin:$PATH" GEM_PATH="%s:${GEM_PATH:-}"\n' "$folder" "$folder"
    [ -z "${RUBYOPT:-}" ] || printf 'export RUBYOPT="-r/app/.skiff/ruby_file.rb${RUBYOPT:+ $RUBYOPT}"\n'
    if is_rails; then
      printf 'export RAILS_ENV=${RAILS_ENV:-%q} SECRET_KEY_BASE=${SECRET_KEY_BASE:-%q}\n' "$RAILS_ENV" "$secret"
      printf 'export RAILS_LOG_TO_STDOUT=${RAILS_LOG_TO_STDOUT:-enabled} RAILS_SERVE_STATIC_FILES=${RAILS_SERVE_STATIC_FILES:-enabled}\n'
    fi
    if is_jekyll; then printf 'export JEKYLL_ENV=${JEKYLL_ENV:-production}\n'; fi
  } >.profile.d/ruby.sh
  if [ -n "${RUBYOPT:-}" ]; then
    mkdir -p .skiff
    cp "$pack/lib/ruby_file.rb" .skiff/ruby_file.rb
  fi
}
