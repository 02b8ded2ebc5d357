# shellcheck shell=bash disable=SC2154,SC2034 # what bin/... sets and uses
# What kind of app this is. The folder of the app is $app.

# Sets of names that only a Jekyll site has; GitHub makes pages of any project that has a bare _config.yml.
jekyll_folders=(_posts _layouts _includes _plugins _data _drafts _sass)
other_languages=(package.json requirements.txt pyproject.toml Pipfile manage.py pom.xml build.gradle build.gradle.kts gradlew
  go.mod go.work Cargo.toml composer.json mix.exs CMakeLists.txt Makefile)

# Sets `config` to the site's configuration file; there is one in each site that is not called otherwise.
find_config() {
  for config in _config.yml _config.yaml _config.toml; do
    [ ! -f "$app/$config" ] || return 0
  done
  return 1
}

gemfile_names() { # gemfile_names PATTERN: the Gemfile asks for a gem of that name
  grep -qsE "^[^#]*gem[ (]+[\"'](${1})[\"']" "$app/Gemfile"
}

# A _config.yml beside the files of another language is that project's page at GitHub, or another generator's (Hexo),
# unless the repository has folders of Jekyll's.
is_jekyll() {
  local name
  find_config || return 1
  if [ -f "$app/Gemfile" ]; then
    # By itself, or by a theme or plugin, as Chirpy's sites do; a theme's own repository by its gemspec.
    gemfile_names '[a-z0-9_-]*jekyll[a-z0-9_-]*|github-pages' || lock_has 'jekyll|github-pages' ||
      { grep -qsE '^[[:blank:]]*gemspec' "$app/Gemfile" && grep -qsE "dependency[ (]+[\"']jekyll[\"']" "$app"/*.gemspec; }
    return
  fi
  ! grep -qsE '"hexo"[[:space:]]*:' "$app/package.json" || return 1
  for name in "${jekyll_folders[@]}"; do [ ! -d "$app/$name" ] || return 0; done
  for name in "${other_languages[@]}"; do
    # A page's own build (make, npm) has no process to start.
    [ ! -f "$app/$name" ] || { [[ $name == @(CMakeLists.txt|Makefile) ]] && [ ! -f "$app/Procfile" ]; } || return 1
  done
}

# The commands of the Procfile, one a line: TYPE COMMAND.
list_processes() {
  [ ! -f "$app/Procfile" ] || sed -nE 's/\r$//; s/^[[:blank:]]*([A-Za-z0-9_-]+)[[:blank:]]*:[[:blank:]]*(.*)/\1 \2/p' "$app/Procfile"
}

serves_by_jekyll() { # serves_by_jekyll COMMAND
  [[ $1 =~ ^((exec|bundle|env|[A-Za-z_]+=[^[:space:]]*)[[:space:]]+)*(\./)?(bin/)?jekyll[[:space:]]+(serve|server|s)([[:space:]]|$) ]]
}

# Whether a process type needs Ruby: any that is not served by nginx.
runs_ruby() {
  local type command
  is_jekyll || return 0
  while read -r type command; do
    serves_by_jekyll "$command" || [[ $command =~ ^(\./)?(bin/boot|\.skiff/serve) ]] || return 0
  done < <(list_processes)
  return 1
}

# Whether nginx has a part in it: without a web process the site is served by it.
nginx_serves() {
  ! list_processes | grep -q '^web ' || grep -qE '(bin/boot|\.skiff/serve)' "$app/Procfile"
}

lock_has() { # lock_has PATTERN: a gem of Gemfile.lock
  grep -qsE "^ {4}(${1}) \(" "$app/Gemfile.lock"
}

is_rails() { lock_has railties; }
