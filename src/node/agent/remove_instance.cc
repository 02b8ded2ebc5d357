// What uninstalling an instance takes away.
#include <signal.h>
#include <sys/mount.h>

#include <algorithm>

#include "base/log.h"
#include "io/file.h"
#include "io/sync.h"
#include "node/agent/agent.h"
#include "node/agent/leftovers.h"
#include "node/runtime/conmon_runtime.h"
#include "node/runtime/sandbox.h"
#include "node/volumes/volumes.h"

namespace skiff::node {

namespace {

// An obstacle to an orderly removal: what it leaves is taken away by force, so it only costs a line.
void note(const Result<void>& outcome) {
  if (!outcome) log_warn("taken away by force", {{"because", outcome.error().message}});
}

// What the node mounted below its folder.
void release_mounts(const NodePaths& paths) {
  const auto names = [&](const std::string& folder) {
    return io::list_directory(paths.mounts() + folder).value_or(std::vector<std::string>{});
  };
  for (const auto& uid : names("/ns")) note(remove_sandbox(paths.namespaces(uid)));
  for (const auto& uid : names("/memory")) note(VolumeManager::release(paths, uid));
  unmount_below(paths.mounts());
  ::umount2(paths.mounts().c_str(), MNT_DETACH);
}

constexpr Duration kMonitorsEndWithin = std::chrono::seconds(5);
constexpr Duration kLookAgainAfter = std::chrono::milliseconds(5);

bool all_exited(const std::vector<ContainerRun>& runs) {
  return std::ranges::all_of(runs, [](const auto& run) { return run.state == RunState::kExited; });
}

// A container counts as exited when its monitor has ended, so that none is left behind.
io::Task<Result<void>> remove_pod(io::Loop& loop, ConmonRuntime& runtime, std::string uid) {
  for (const auto& run : runtime.list(uid)) {
    auto killed = runtime.signal(run.key, SIGKILL);
    if (!killed) co_return killed;
  }
  const MonotonicTime deadline = loop.now() + kMonitorsEndWithin;
  while (!all_exited(runtime.list(uid)) && loop.now() < deadline) {
    co_await io::sleep(loop, kLookAgainAfter);
  }
  for (const auto& run : runtime.list(uid)) {
    auto removed = co_await runtime.remove(run.key);
    if (!removed) co_return removed;
  }
  co_return Result<void>();
}

}  // namespace

io::Task<Result<void>> remove_instance(io::Loop& loop, AgentOptions options) {
  const NodePaths paths{options.data};
  const CgroupHost cgroups = read_cgroup_host(io::read_file("/proc/self/mounts").value_or(""));
  ConmonRuntime runtime(loop, {paths, options.conmon, options.runtime, cgroups});
  // Each step is tried whatever became of those before: a record that can't be read or a folder that can't be
  // deleted keeps nothing else on the machine.
  auto recovered = co_await runtime.recover();
  note(recovered);
  for (const auto& uid : io::list_directory(paths.pods()).value_or(std::vector<std::string>{})) {
    auto removed = co_await remove_pod(loop, runtime, uid);
    note(removed);
  }
  auto released = co_await io::run_blocking(loop, [paths] {
    release_mounts(paths);
    return true;
  });
  (void)released;
  auto rest = co_await remove_traces(loop, options.instance);
  co_return rest;
}

}  // namespace skiff::node
