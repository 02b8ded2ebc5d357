// What uninstalling an instance takes away.
#include <signal.h>
#include <sys/mount.h>

#include <algorithm>

#include "base/strings.h"
#include "io/file.h"
#include "io/sync.h"
#include "node/agent/agent.h"
#include "node/network/forwarding.h"
#include "node/network/pod_network.h"
#include "node/runtime/conmon_runtime.h"
#include "node/runtime/sandbox.h"
#include "node/services/firewall.h"
#include "node/services/ruleset.h"
#include "node/volumes/volumes.h"

namespace skiff::node {

namespace {

Result<void> remove_rest(const NodePaths& paths, const std::string& instance, const CgroupHost& cgroups) {
  for (const auto& uid : io::list_directory(paths.mounts() + "/ns").value_or(std::vector<std::string>{})) {
    SKIFF_RETURN_IF_ERROR(remove_sandbox(paths.namespaces(uid)));
  }
  for (const auto& uid :
       io::list_directory(paths.mounts() + "/memory").value_or(std::vector<std::string>{})) {
    SKIFF_RETURN_IF_ERROR(VolumeManager::release(paths, uid));
  }
  ::umount2(paths.mounts().c_str(), MNT_DETACH);
  remove_cgroup(cgroups, "/skiff-" + instance);
  Firewall firewall;
  const std::string table = table_name(instance);
  SKIFF_RETURN_IF_ERROR(firewall.apply("table ip " + table + "\ndelete table ip " + table + "\n"));
  return remove_bridge(instance);
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
  auto recovered = co_await runtime.recover();
  if (!recovered) co_return recovered;
  for (const auto& uid : io::list_directory(paths.pods()).value_or(std::vector<std::string>{})) {
    auto removed = co_await remove_pod(loop, runtime, uid);
    if (!removed) co_return removed;
  }
  co_await forget_forwarding(loop, bridge_name(options.instance));
  const std::string instance = options.instance;
  auto rest = co_await io::run_blocking(
      loop, [paths, instance, cgroups] { return remove_rest(paths, instance, cgroups); });
  co_return rest;
}

}  // namespace skiff::node
