#!/usr/bin/env bash
# Answers git's question for a password from the config vars GO_GIT_CRED__PROTOCOL__HOST, a point of the host written as
# two underscores: GO_GIT_CRED__HTTPS__GITHUB__COM=name:password, or a token alone.
set -euo pipefail
[ "${1:-}" = get ] || exit 0
protocol='' host=''
while IFS='=' read -r key value && [ -n "$key" ]; do
  case $key in protocol) protocol=$value ;; host) host=$value ;; esac
done
name="GO_GIT_CRED__${protocol}__${host//./__}"
name=$(tr '[:lower:]-' '[:upper:]_' <<<"${name//:/_}")
value=${!name:-}
[ -n "$value" ] || exit 0
if [[ $value == *:* ]]; then user=${value%%:*} password=${value#*:}; else user=$value password=x-oauth-basic; fi
printf 'username=%s\npassword=%s\n' "$user" "$password"
