// The cgroup of a pod, parent of its containers' cgroups.
//
// What a container leaves behind stays charged to it: SysV shared memory, files in memory volumes. A new
// attempt gets a cgroup of its own, so only a limit up here bounds what a pod holds in all.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "node/runtime/cgroup_host.h"

namespace skiff::node {

struct PodLimits {
  uint64_t cpu_shares = 2;              // cgroup v1 scale
  std::optional<int64_t> cpu_quota_us;  // of each 100 ms
  std::optional<int64_t> memory_bytes;  // swap is not had beside it
  int64_t pids = 4096;
};

// One file to write, in the order given.
struct CgroupSetting {
  std::string controller;  // "memory"
  std::string file;        // "memory.max"
  std::string value;
  enum class Presence { kRequired, kIfThere } presence = Presence::kRequired;  // of the file
  bool operator==(const CgroupSetting&) const = default;
};

// Pure.
std::vector<CgroupSetting> plan_pod_cgroup(CgroupLayout layout, const PodLimits& limits);

// Makes `path` ("/skiff-x/pod…") in the hierarchies that bear limits, and sets them. Blocking; idempotent.
Result<void> apply_pod_cgroup(const CgroupHost& host, const std::string& path, const PodLimits& limits);

}  // namespace skiff::node
