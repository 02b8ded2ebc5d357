#include <fmt/core.h>

#include "base/strings.h"
#include "platform/builds/limits.h"
#include "platform/git/repositories.h"

namespace skiff::platform {

bool is_git_service(std::string_view service) {
  return service == "git-upload-pack" || service == "git-receive-pack";
}

constexpr int64_t kBlocksPerMegabyte = (1 << 20) / 512;

std::string packet_line(std::string_view text) {
  return fmt::format("{:04x}{}", text.size() + 4, text);
}

// The last line of the platform's answer tells how the build ended; it is not shown. A build that says the
// same is not believed: the platform has the last word. The archive is bounded by a limit of file sizes, in
// blocks of 512 bytes.
static constexpr const char* kHook = R"sh(#!/bin/sh
# Made by Skiff: builds a push of main or master and refuses it when the build fails.
builds='@BUILDS@'
none=0000000000000000000000000000000000000000
updates=$(cat)
branches=$(printf '%s\n' "$updates" | sed -n 's|.* refs/heads/||p')
if [ "$(printf '%s\n' "$branches" | wc -l)" -gt 1 ]; then
  echo " !     This push changes several branches:" $branches
  echo "       A push deploys one; name it: git push skiff main"
  exit 1
fi
while read -r old new ref; do
  case "$ref" in
    refs/heads/main|refs/heads/master) ;;
    refs/heads/*)
      branch=${ref#refs/heads/}
      echo "-----> $branch is kept but not deployed: main and master deploy"
      [ "$new" = "$none" ] || echo "       To deploy it: git push skiff $branch:main"
      continue ;;
    *) echo "-----> $ref is kept but not deployed: the branches main and master deploy"; continue ;;
  esac
  if [ "$new" = "$none" ]; then
    echo " !     ${ref#refs/heads/} can't be deleted: it is what runs"
    exit 1
  fi
  id=$(head -c 8 /dev/urandom | od -An -tx1 | tr -d ' \n')
  umask 077
  trap 'rm -rf "$builds/$id"' EXIT
  trap 'exit 1' TERM HUP INT PIPE
  mkdir -p "$builds/$id" || exit 1
  if ! (ulimit -f @BLOCKS@; exec git archive --format=tar "$new" >"$builds/$id/source.tar" 2>/dev/null); then
    echo " !     the commit can't be read, or its files take more than @SIZE@; leave large files out of it"
    exit 1
  fi
  if git cat-file -e "$new:.gitmodules" 2>/dev/null; then
    echo " !     Submodules are not fetched: the folders that .gitmodules names are empty in the build"
  fi
  curl -sS -N --fail-with-body --unix-socket '@SOCKET@' -X POST "http://skiff/build?app=@APP@&id=$id&commit=$new" |
  {
    result=1
    while IFS= read -r line; do
      if [ "$line" = "skiff-build: ok" ]; then result=0; else result=1; printf '%s\n' "$line"; fi
    done
    exit $result
  }
  [ $? = 0 ] || exit 1
done <<END
$updates
END
exit 0
)sh";

std::string hook_script(const std::string& app, const std::string& builds, const std::string& socket,
                        int64_t push_mb) {
  std::string text = replace_all(kHook, "@BUILDS@", builds);
  text = replace_all(std::move(text), "@SOCKET@", socket);
  text = replace_all(std::move(text), "@BLOCKS@", std::to_string(push_mb * kBlocksPerMegabyte));
  text = replace_all(std::move(text), "@SIZE@", describe_megabytes(push_mb));
  return replace_all(std::move(text), "@APP@", app);
}

}  // namespace skiff::platform
