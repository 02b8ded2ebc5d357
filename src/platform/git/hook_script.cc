#include <fmt/core.h>

#include "base/strings.h"
#include "platform/git/repositories.h"

namespace skiff::platform {

bool is_git_service(std::string_view service) {
  return service == "git-upload-pack" || service == "git-receive-pack";
}

std::string packet_line(std::string_view text) {
  return fmt::format("{:04x}{}", text.size() + 4, text);
}

// The last line of the platform's answer tells how the build ended; it is not shown.
static constexpr const char* kHook = R"(#!/bin/sh
# Made by Skiff: builds a push of main or master and refuses it when the build fails.
builds='@BUILDS@'
none=0000000000000000000000000000000000000000
while read -r old new ref; do
  case "$ref" in
    refs/heads/main|refs/heads/master) ;;
    *) echo "-----> $ref is stored but not built: only main and master are"; continue ;;
  esac
  if [ "$new" = "$none" ]; then
    echo " !     $ref can't be deleted: it is what runs"
    exit 1
  fi
  id=$(head -c 8 /dev/urandom | od -An -tx1 | tr -d ' \n')
  umask 077
  mkdir -p "$builds/$id" || exit 1
  if ! git archive --format=tar -o "$builds/$id/source.tar" "$new"; then
    rm -rf "$builds/$id"
    echo " !     the pushed commit can't be read"
    exit 1
  fi
  curl -sS -N --fail-with-body --unix-socket '@SOCKET@' -X POST "http://skiff/build?app=@APP@&id=$id&commit=$new" |
  {
    result=1
    while IFS= read -r line; do
      if [ "$line" = "skiff-build: ok" ]; then result=0; else printf '%s\n' "$line"; fi
    done
    exit $result
  }
  result=$?
  rm -rf "$builds/$id"
  [ $result = 0 ] || exit 1
done
exit 0
)";

std::string hook_script(const std::string& app, const std::string& builds, const std::string& socket) {
  std::string text = replace_all(kHook, "@BUILDS@", builds);
  text = replace_all(std::move(text), "@SOCKET@", socket);
  return replace_all(std::move(text), "@APP@", app);
}

}  // namespace skiff::platform
