# shellcheck shell=bash
# shellcheck disable=SC2154,SC2016 # app, pack; the PATH is that of the later build
# The environment of dynos and of later buildpacks, and the folders that are image layers of their own.

write_node_environment() {
  mkdir -p .profile.d
  cp "$pack/lib/profile.sh" .profile.d/nodejs.sh
  printf 'export PATH="%s/.heroku/node/bin:%s/node_modules/.bin:$PATH" NODE_HOME="%s/.heroku/node"\n' "$PWD" "$PWD" "$PWD" >"$pack/export"
  list_modules >"$pack/slug-layers"
  echo .heroku/node >>"$pack/slug-layers"
  : >"$pack/run-layers"
}
