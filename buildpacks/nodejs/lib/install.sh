# shellcheck shell=bash
# shellcheck disable=SC2154 # what prepare.py wrote: node_home, manager, manager_home, manager_program, lock
# Node.js and the package manager on PATH, and the installation of what the lock file says.

# .heroku/node is what runs later: without headers and documentation, which stay in the cache for native code.
use_node() {
  local home=.heroku/node program
  mkdir -p $home/bin $home/lib
  cp -p "$node_home/bin/node" $home/bin/node
  printf '%s' "${manager/berry/yarn}" >$home/manager
  if [ -n "$manager_home" ]; then
    cp -a "$manager_home" "$home/lib/${manager/berry/yarn}"
    program=../lib/${manager/berry/yarn}${manager_program#"$manager_home"}
  else
    program=../../../${manager_program#"$PWD/"}
  fi
  ln -s "$program" "$home/bin/${manager/berry/yarn}"
  chmod +x "$home/bin/${manager/berry/yarn}" 2>/dev/null || true
  if [ -n "$npm_home" ]; then
    cp -a "$npm_home" $home/lib/npm
    ln -s "../lib/npm/bin/npm-cli.js" $home/bin/npm
  fi
  ln -s "../lib/npm/bin/npx-cli.js" $home/bin/npx
  [ ! -f $home/lib/yarn/bin/yarn.js ] || chmod +x $home/lib/yarn/bin/yarn.js
  find $home -exec touch -hd @315532800 {} + # the same layer for each build that has the same programs
  export PATH="$PWD/$home/bin:$PWD/node_modules/.bin:$PATH" NODE_HOME="$PWD/$home"
  # node-gyp finds the headers here, and fetches none; npm 11 warns of the older one of the two names.
  export npm_package_config_node_gyp_nodedir=${npm_package_config_node_gyp_nodedir:-$node_home}
  [[ $manager = npm && ${manager_version%%.*} -ge 11 ]] || export npm_config_nodedir=${npm_config_nodedir:-$node_home}
  export npm_config_cache=$cache/npm
  export npm_config_audit=false npm_config_fund=false npm_config_update_notifier=false npm_config_prefer_offline=true
  export NODE_GYP_FORCE_PYTHON=${NODE_GYP_FORCE_PYTHON:-/usr/bin/python3} COREPACK_ENABLE_STRICT=0 PYTHONDONTWRITEBYTECODE=1
  case $manager in
    yarn) export YARN_CACHE_FOLDER=$cache/yarn ;;
    berry)
      # Plug'n'Play runs what lies in .yarn/cache; elsewhere that is only where Yarn downloads to.
      export YARN_ENABLE_GLOBAL_CACHE=false YARN_GLOBAL_FOLDER=$cache/yarn
      if [ ! -d .yarn/cache ] && grep -qsE '^nodeLinker: *"?(node-modules|pnpm)' .yarnrc.yml; then export YARN_CACHE_FOLDER=$cache/berry; fi
      export YARN_ENABLE_TELEMETRY=false YARN_ENABLE_SCRIPTS=${YARN_ENABLE_SCRIPTS:-true} ;;
    pnpm) # which reads pnpm_config_… alone since 11
      export npm_config_store_dir=$cache/pnpm pnpm_config_store_dir=$cache/pnpm pnpm_config_cache_dir=$cache/pnpm-lists
      export npm_config_package_import_method=${npm_config_package_import_method:-copy} npm_config_manage_package_manager_versions=false
      export pnpm_config_package_import_method=${pnpm_config_package_import_method:-copy} pnpm_config_pm_on_fail=ignore ;;
  esac
}

run_package_manager() { # its output, a little to the right
  CI=true "${manager/berry/yarn}" "$@" 2>&1 </dev/null | tee /tmp/manager.log | sed -u 's/^/       /'
}

without_development() { # the config vars with which an app asks for no development packages, even in the build
  [ "${NPM_CONFIG_PRODUCTION:-}" = true ] || [ "${YARN_PRODUCTION:-}" = true ]
}

# Sets `command`: how the package manager installs exactly what the lock file says.
choose_command() {
  local skip=
  ! without_development || skip=yes
  case $manager in
    npm)
      if [ -n "$lock" ] && [ "${USE_NPM_INSTALL:-false}" != true ]; then command=(ci); else command=(install); fi
      command+=("${skip:+--omit=dev}")
      [ -n "$skip" ] || command[1]=--include=dev
      [ "${NODE_VERBOSE:-}" != true ] || command+=(--loglevel=verbose) ;;
    yarn)
      command=(install --ignore-engines --non-interactive "--production=$([ -n "$skip" ] && echo true || echo false)")
      [ -z "$lock" ] || command+=(--frozen-lockfile) ;;
    berry)
      command=(install)
      [ -z "$lock" ] || command+=(--immutable) ;;
    pnpm)
      command=(install "--prod=$([ -n "$skip" ] && echo true || echo false)" --prefer-offline)
      if [ -n "$lock" ]; then command+=(--frozen-lockfile); else command+=(--no-frozen-lockfile); fi ;;
  esac
}

install_dependencies() {
  local command
  [ -n "$depends" ] || {
    echo "-----> No dependencies to install"
    return 0
  }
  [ -n "$lock" ] || echo " !     No lock file: each push may get other versions. Commit the one that \`${manager/berry/yarn} install\` writes."
  if restore_modules; then
    echo "-----> Dependencies are those of the push before: node_modules is taken from the cache"
    return 0
  fi
  choose_command
  echo "-----> Installing dependencies: ${manager/berry/yarn} ${command[*]}"
  (unset NPM_CONFIG_PRODUCTION npm_config_production YARN_PRODUCTION; run_package_manager "${command[@]}") || {
    explain_failure /tmp/manager.log
    exit 1
  }
  keep_modules
}
