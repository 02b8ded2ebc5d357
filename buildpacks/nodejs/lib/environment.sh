# shellcheck shell=bash
# shellcheck disable=SC2154,SC2016 # app, pack; the PATH is that of the later build
# The environment of dynos and of later buildpacks, and the folders that are image layers of their own.

most_module_layers=5 # of the eight that an app has; those of more workspaces are small, and stay in the layer of the app

# The folders node_modules, the one at the top first.
modules_for_layers() {
  list_modules >/tmp/modules
  grep -x node_modules /tmp/modules || :
  grep -vx node_modules /tmp/modules || :
}

write_node_environment() {
  mkdir -p .profile.d
  cp "$pack/lib/profile.sh" .profile.d/nodejs.sh
  printf 'export PATH="%s/.heroku/node/bin:%s/node_modules/.bin:$PATH" NODE_HOME="%s/.heroku/node"\n' "$PWD" "$PWD" "$PWD" >"$pack/export"
  modules_for_layers | sed -n "1,${most_module_layers}p" >"$pack/slug-layers"
  echo .heroku/node >>"$pack/slug-layers"
  : >"$pack/run-layers"
}
