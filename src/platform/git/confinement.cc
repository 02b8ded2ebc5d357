#include "platform/git/confinement.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>

#include "base/log.h"
#include "base/strings.h"
#include "io/file.h"
#include "io/sync.h"

namespace skiff::platform {

namespace {

constexpr int64_t kProcesses = 64;        // of one command; git needs about ten
constexpr int64_t kCommandsTogether = 3;  // the memory that all have together, as that of so many
constexpr int64_t kProcessesTogether = 512;
constexpr size_t kGroupNameLength = 10;
// Of one file, for each megabyte that a push may have: a pack grows by what it leaves out of the objects that
// it builds on. In blocks of 512 bytes.
constexpr int64_t kBlocksPerMegabyte = 2 * (1 << 20) / 512;
constexpr int64_t kKilobytesPerMegabyte = 1024;

// Runs as root, the first process in mount, network, ipc and process namespaces of its own, and ends as the
// command ended: with it everything that the command left behind. The command itself is not the first
// process, which signals without a handler do not reach. Nothing in it depends on what the folder holds. The
// user may not write beside its folder: what is mounted over is root's. When a step fails it ends with
// kNotConfined, which none of the commands does.
constexpr const char* kLaunch = R"sh(set -e
trap 'exit 125' EXIT
root=$1 folder=$2 hooks=$3 socket=$4 groups=$5 memory=$6 processes=$7 seconds=$8 blocks=$9
shift 9
user=$1
shift
for group in $groups; do echo 0 >"$group/cgroup.procs"; done
mount -t tmpfs -o mode=755,size=64k,nosuid,nodev skiff-git "$root"
mkdir "$root/work" "$root/hooks"
: >"$root/hook.sock"
mount --bind "$folder" "$root/work"
if [ -d "$hooks" ]; then mount --bind -o ro "$hooks" "$root/hooks"; fi
if [ -d "$hooks/info" ] && [ -d "$root/work/info" ]; then mount --bind -o ro "$hooks/info" "$root/work/info"; fi
if [ -S "$socket" ]; then mount --bind "$socket" "$root/hook.sock"; fi
cd "$root/work"
umask 077
ulimit -c 0
ulimit -n 1024
ulimit -t "$seconds"
ulimit -f "$blocks"
if [ "$memory" != 0 ]; then ulimit -v "$memory"; ulimit -p "$processes"; fi
trap - EXIT
set +e
setpriv --reuid="$user" --regid="$user" --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs -- "$@"
exit $?
)sh";

bool is_inside(const std::string& path, const std::string& folder) {
  return path == folder || path.starts_with(folder + "/");
}

}  // namespace

std::string choose_private_root(const std::vector<std::string>& paths) {
  const char* const candidates[] = {"/mnt", "/media", "/srv", "/opt"};
  for (const char* candidate : candidates) {
    const auto covers = [candidate](const std::string& path) { return is_inside(path, candidate); };
    if (std::ranges::none_of(paths, covers)) return candidate;
  }
  return candidates[0];
}

std::string explain_bound(BoundReached bound, const BuildLimits& limits) {
  switch (bound) {
    case BoundReached::kNone:
      return "";
    case BoundReached::kMemory:
      return fmt::format(
          "git used more than {} of memory on this push and was stopped; leave very large files out of the "
          "repository, or have the operator raise \"gitMemoryMb\"",
          describe_megabytes(limits.git_memory_mb));
    case BoundReached::kProcesses:
      return fmt::format("git started more than {} processes on this push and was stopped", kProcesses);
    case BoundReached::kPack:
      return fmt::format(
          "Push refused: its pack takes more than {}; leave large files out of its commits, or {}",
          describe_megabytes(limits.push_mb), how_to_raise("pushMb", limits.push_mb));
  }
  return "";
}

Confinement::Confinement(io::Loop& loop, ConfinementOptions options)
    : loop_(loop),
      options_(std::move(options)),
      mounts_(parse_control_group_mounts(io::read_file("/proc/self/mounts").value_or(""))),
      root_(choose_private_root({options_.hooks, options_.socket})),
      groups_(make_name_suffix(loop.random(), kGroupNameLength)) {
  left_->find(mounts_, options_.control_group);
}

io::Task<Result<ConfinedCommand>> Confinement::prepare(std::string folder, BuildLimits limits,
                                                       std::vector<std::string> command) {
  const GroupBounds own{limits.git_memory_mb, kProcesses};
  const GroupBounds together{limits.git_memory_mb * kCommandsTogether, kProcessesTogether};
  const std::string path = fmt::format("{}/{}-{}", options_.control_group, groups_, ++runs_);
  auto group = co_await io::run_blocking(loop_, [mounts = mounts_, left = left_, path, own, together] {
    left->sweep();
    return ControlGroup::make(mounts, path, own, together, left);
  });
  if (!group && !told_) {
    told_ = true;
    log_warn("git is bounded by limits of each process: no control group",
             {{"group", path}, {"error", group.error().message}});
  }
  const std::string folders = group ? join((*group)->folders(), " ") : "";
  const int64_t memory = group ? 0 : limits.git_memory_mb * kKilobytesPerMegabyte;
  // The namespaces are made first, for the mounts; the group is joined by the launcher's own shell.
  std::vector<std::string> argv = {"unshare",
                                   "--mount",
                                   "--net",
                                   "--ipc",
                                   "--pid",
                                   "--fork",
                                   "--kill-child",
                                   "--mount-proc",
                                   "--propagation",
                                   "private",
                                   "--",
                                   "/bin/sh",
                                   "-c",
                                   kLaunch,
                                   "skiff-confined",
                                   root_,
                                   std::move(folder),
                                   options_.hooks,
                                   options_.socket,
                                   folders,
                                   std::to_string(memory),
                                   std::to_string(kProcessesTogether),
                                   std::to_string(limits.git_seconds),
                                   std::to_string(limits.push_mb * kBlocksPerMegabyte),
                                   std::to_string(kGitUser)};
  for (auto& word : command) argv.push_back(std::move(word));
  co_return ConfinedCommand{std::move(argv), group ? std::move(*group) : nullptr};
}

io::Task<Result<io::CommandOutput>> Confinement::run(std::string folder, BuildLimits limits,
                                                     std::vector<std::string> command,
                                                     io::CommandOptions options) {
  auto confined = co_await prepare(std::move(folder), limits, std::move(command));
  SKIFF_CO_RETURN_IF_ERROR(confined);
  auto done = co_await io::run_command(loop_, std::move(confined->argv), std::move(options));
  if (done && done->status.code == kNotConfined)
    co_return fail(Code::kUnavailable, "the command could not be confined: " + std::string(trim(done->err)));
  co_return done;
}

}  // namespace skiff::platform
