#include "platform/git/git_settings.h"

#include <fmt/core.h>

#include "platform/builds/submodules.h"

namespace skiff::platform {

namespace {

constexpr int64_t kMostRefs = 2000;  // changed by one push
constexpr int64_t kBlocksPerMegabyte = (1 << 20) / 512;

constexpr const char* kSettings[] = {
    // A clone without its history may push: git would refuse it only when the hook has made the release.
    "receive.shallowUpdate=true",
    // Objects stay in the pack that they came in: a thousand small ones are one file.
    "transfer.unpackLimit=1",
    // What git has acknowledged survives a power cut: packs and references before their names.
    "core.fsync=all",
    "core.fsyncMethod=fsync",
    // Large files pass through instead of being held; what is held is little.
    "core.bigFileThreshold=16m",
    "core.deltaBaseCacheLimit=32m",
    "core.packedGitWindowSize=16m",
    "core.packedGitLimit=128m",
    "pack.threads=1",
    "pack.windowMemory=64m",
    "pack.deltaCacheSize=32m",
    // Within the bounds of the push, not behind them.
    "gc.autoDetach=false",
    "maintenance.autoDetach=false",
    // Trees that name "..", ".git" or paths are refused, as are objects that are none. What old versions of
    // git wrote into many a history does no harm.
    "receive.fsckObjects=true",
    "receive.fsck.badDate=ignore",
    "receive.fsck.badDateOverflow=ignore",
    "receive.fsck.badEmail=ignore",
    "receive.fsck.badName=ignore",
    "receive.fsck.badTimezone=ignore",
    "receive.fsck.missingEmail=ignore",
    "receive.fsck.missingNameBeforeEmail=ignore",
    "receive.fsck.missingSpaceBeforeDate=ignore",
    "receive.fsck.missingSpaceBeforeEmail=ignore",
    "receive.fsck.multipleAuthors=ignore",
    "receive.fsck.zeroPaddedDate=ignore",
    "receive.fsck.zeroPaddedFilemode=ignore",
};

}  // namespace

std::vector<std::string> git_command(const std::string& hooks_folder, const BuildLimits& limits) {
  std::vector<std::string> out = {"git"};
  const auto set = [&out](std::string setting) {
    out.emplace_back("-c");
    out.push_back(std::move(setting));
  };
  for (const char* setting : kSettings) set(setting);
  set("core.hooksPath=" + hooks_folder);
  set(fmt::format("receive.maxInputSize={}", limits.push_mb << 20));
  set(fmt::format("pack.packSizeLimit={}m", limits.push_mb));
  return out;
}

std::vector<std::string> git_environment(const std::string& socket, const BuildLimits& limits) {
  return {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "GIT_CONFIG_NOSYSTEM=1",
          "GIT_CONFIG_GLOBAL=/dev/null", "LANG=C.UTF-8", "SKIFF_SOCKET=" + socket,
          fmt::format("SKIFF_MOST_REFS={}", kMostRefs),
          // One more than a build takes, which then refuses them.
          fmt::format("SKIFF_MOST_SUBMODULES={}", kMaxSubmodules + 1),
          fmt::format("SKIFF_BLOCKS={}", limits.push_mb * kBlocksPerMegabyte),
          "SKIFF_SIZE=" + describe_megabytes(limits.push_mb)};
}

}  // namespace skiff::platform
