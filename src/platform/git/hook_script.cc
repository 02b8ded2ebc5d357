#include "platform/git/hook_script.h"

#include <fmt/core.h>

namespace skiff::platform {

// Runs as the user of git, confined (confinement.h). It says what it wants to the platform and has no say in
// whose push it is: the platform knows that from the process that asks.
//
// Nothing is asked for before git would take every branch of the push: a dry run of the update, with its
// checks of names, of the old value, and that it is a commit. The last line of the platform's answer tells
// how the build ended; it is not shown. A build that says the same is not believed: the platform has the last
// word. The archive is bounded by a limit of file sizes, in blocks of 512 bytes; it lies with the pushed
// objects, which git removes when a push ends badly.
static constexpr const char* kHook = R"sh(#!/bin/sh
# Made by Skiff: builds a push of main or master and refuses it when the build fails.
none=0000000000000000000000000000000000000000
updates=$(cat)
if [ "$(printf '%s\n' "$updates" | wc -l)" -gt "$SKIFF_MOST_REFS" ]; then
  echo " !     This push changes more than $SKIFF_MOST_REFS branches and tags; push fewer at once"
  exit 1
fi
branches=$(printf '%s\n' "$updates" | sed -n 's|.* refs/heads/||p')
if [ "$(printf '%s\n' "$branches" | wc -l)" -gt 1 ]; then
  echo " !     This push changes several branches:" $branches
  echo "       A push deploys one; name it: git push skiff main"
  exit 1
fi
while read -r old new ref; do
  case "$ref" in
    refs/heads/*) ;;
    *) echo "-----> $ref is kept but not deployed: the branches main and master deploy"; continue ;;
  esac
  branch=${ref#refs/heads/}
  case "$branch" in main|master) deploys=yes ;; *) deploys= ;; esac
  if [ "$new" = "$none" ]; then
    if [ -n "$deploys" ]; then
      echo " !     $branch can't be deleted: it is what runs"
      exit 1
    fi
    echo "-----> $branch is deleted; it was not deployed"
    continue
  fi
  kind=$(git cat-file -t "$new" 2>/dev/null)
  if [ "$kind" != commit ]; then
    echo " !     $branch would become a ${kind:-thing that git can't read}, and only commits are deployed"
    [ "$kind" != tag ] || echo "       To deploy what a tag names: git push skiff 'TAG^{commit}:$branch'"
    exit 1
  fi
  if ! refused=$(printf 'start\nupdate %s %s %s\nprepare\nabort\n' "$ref" "$new" "$old" |
      env -u GIT_QUARANTINE_PATH git update-ref --stdin 2>&1 >/dev/null); then
    echo " !     git does not take $branch: $refused"
    exit 1
  fi
  if [ -z "$deploys" ]; then
    echo "-----> $branch is kept but not deployed: main and master deploy"
    echo "       To deploy it: git push skiff $branch:main"
    continue
  fi
  archive=${GIT_QUARANTINE_PATH:-$PWD}/source.tar
  trap 'rm -f "$archive"' EXIT
  trap 'exit 1' TERM HUP INT PIPE
  # The commit's submodules, "COMMIT PATH" one a line, stand before its files; the build fetches them.
  git -c core.quotePath=false ls-tree -r --full-tree "$new" 2>/dev/null |
    sed -n 's/^160000 commit \([0-9a-f]*\)\t/\1 /p' | head -n "$SKIFF_MOST_SUBMODULES" >"$archive"
  submodules=$(($(wc -c <"$archive")))
  if ! (ulimit -f "$SKIFF_BLOCKS"; exec git archive --format=tar "$new" >>"$archive" 2>/dev/null); then
    echo " !     the commit can't be read, or its files take more than $SKIFF_SIZE; leave large files out of it,"
    echo "       or raise \"pushMb\" in DATA/platform/build-limits.json"
    exit 1
  fi
  # One that breaks off behind its last line was whole.
  {
    curl -s -N --unix-socket "$SKIFF_SOCKET" -T "$archive" -X POST "http://skiff/build?commit=$new&submodules=$submodules"
    code=$?
    [ $code = 0 ] || echo "skiff-gone: $code"
  } | {
    result=1
    while IFS= read -r line; do
      case "$line" in
        "skiff-build: ok") result=0 ;;
        "skiff-gone: "*) [ $result = 0 ] || echo " !     Push refused: the platform went away (curl ${line#skiff-gone: }); push again" ;;
        *) result=1; printf '%s\n' "$line" ;;
      esac
    done
    exit $result
  }
  [ $? = 0 ] || exit 1
done <<END
$updates
END
exit 0
)sh";

static constexpr const char* kRolloutHook = R"sh(#!/bin/sh
# Made by Skiff: tells the pusher whether what was deployed comes up.
none=0000000000000000000000000000000000000000
while read -r old new ref; do
  case "$ref" in refs/heads/main|refs/heads/master) ;; *) continue ;; esac
  [ "$new" != "$none" ] || continue
  curl -sS -N --unix-socket "$SKIFF_SOCKET" http://skiff/rollout 2>/dev/null ||
    echo " !     Whether it came up is not known now: the platform went away. See skiff releases"
done
)sh";

std::string rollout_hook_script() {
  return kRolloutHook;
}

std::string hook_script() {
  return kHook;
}

}  // namespace skiff::platform
