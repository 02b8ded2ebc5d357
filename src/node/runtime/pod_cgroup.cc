#include "node/runtime/pod_cgroup.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/strings.h"
#include "io/file.h"
#include "io/setting.h"
#include "node/runtime/oci_config.h"

namespace skiff::node {

namespace {

using Presence = CgroupSetting::Presence;

constexpr const char* kUnifiedRoot = "/sys/fs/cgroup";
constexpr const char* kControllers[] = {"cpu", "memory", "pids"};

// cgroup v1 shares (2 to 262,144) on the scale of v2 (1 to 10,000), as runtimes convert them.
uint64_t weight_of(uint64_t shares) {
  constexpr uint64_t kLeastShares = 2, kSharesRange = 262142, kWeightRange = 9999;
  return 1 + (std::max(shares, kLeastShares) - kLeastShares) * kWeightRange / kSharesRange;
}

std::vector<CgroupSetting> plan_unified(const PodLimits& limits) {
  const std::string period = std::to_string(kCpuPeriodUs);
  std::vector<CgroupSetting> out = {
      {"cpu", "cpu.weight", std::to_string(weight_of(limits.cpu_shares))},
      {"cpu", "cpu.max", (limits.cpu_quota_us ? std::to_string(*limits.cpu_quota_us) : "max") + " " + period},
      {"pids", "pids.max", std::to_string(limits.pids)}};
  if (limits.memory_bytes) {
    out.push_back({"memory", "memory.max", std::to_string(*limits.memory_bytes)});
    out.push_back({"memory", "memory.swap.max", "0", Presence::kIfThere});
  }
  return out;
}

std::vector<CgroupSetting> plan_legacy(const PodLimits& limits) {
  std::vector<CgroupSetting> out = {{"cpu", "cpu.shares", std::to_string(limits.cpu_shares)},
                                    {"pids", "pids.max", std::to_string(limits.pids)}};
  if (limits.cpu_quota_us) {
    out.push_back({"cpu", "cpu.cfs_period_us", std::to_string(kCpuPeriodUs)});
    out.push_back({"cpu", "cpu.cfs_quota_us", std::to_string(*limits.cpu_quota_us)});
  }
  if (limits.memory_bytes) {
    const std::string bytes = std::to_string(*limits.memory_bytes);
    out.push_back({"memory", "memory.limit_in_bytes", bytes});
    out.push_back({"memory", "memory.memsw.limit_in_bytes", bytes, Presence::kIfThere});
  }
  return out;
}

// In v2 a group has the controllers that its parent hands down.
Result<void> hand_down_controllers(const std::string& group) {
  for (const char* controller : kControllers) {
    SKIFF_RETURN_IF_ERROR(
        io::write_setting(group + "/cgroup.subtree_control", std::string("+") + controller));
  }
  return {};
}

Result<void> make_unified(const std::string& root, const std::string& path) {
  std::string group = root;
  SKIFF_RETURN_IF_ERROR(hand_down_controllers(group));
  for (const auto& part : split(path, '/')) {
    if (part.empty()) continue;
    group += "/" + part;
    SKIFF_RETURN_IF_ERROR(io::make_directories(group, 0755));
    SKIFF_RETURN_IF_ERROR(hand_down_controllers(group));
  }
  return {};
}

// Where a controller's files of `path` are; nothing when the machine has no such controller.
std::optional<std::string> folder_of(const CgroupHost& host, const std::string& controller,
                                     const std::string& path) {
  if (host.layout == CgroupLayout::kUnified) return host.roots.front() + path;
  const auto found = host.controllers.find(controller);
  if (found == host.controllers.end()) return std::nullopt;
  return found->second + path;
}

}  // namespace

std::vector<CgroupSetting> plan_pod_cgroup(CgroupLayout layout, const PodLimits& limits) {
  return layout == CgroupLayout::kUnified ? plan_unified(limits) : plan_legacy(limits);
}

Result<void> apply_pod_cgroup(const CgroupHost& host, const std::string& path, const PodLimits& limits) {
  if (host.roots.empty()) {
    return fail(Code::kUnavailable, std::string("no cgroup hierarchy is mounted at ") + kUnifiedRoot);
  }
  if (host.layout == CgroupLayout::kUnified) SKIFF_RETURN_IF_ERROR(make_unified(host.roots.front(), path));
  for (const auto& setting : plan_pod_cgroup(host.layout, limits)) {
    const auto folder = folder_of(host, setting.controller, path);
    if (!folder) continue;
    SKIFF_RETURN_IF_ERROR(io::make_directories(*folder, 0755));
    const std::string file = *folder + "/" + setting.file;
    if (setting.presence == Presence::kIfThere && !io::path_exists(file)) continue;
    SKIFF_RETURN_IF_ERROR(io::write_setting(file, setting.value));
  }
  return {};
}

}  // namespace skiff::node
