#include <algorithm>

#include "node/pod/container_builder.h"
#include "node/pod/quantity.h"
#include "node/pod/status.h"

namespace skiff::node {

namespace {
constexpr int64_t kMinShares = 2, kSharesPerCpu = 1024;
constexpr int64_t kMinQuotaUs = 1000;  // the kernel's
constexpr int kGuaranteedScore = -997, kBestEffortScore = 1000;

int oom_score(const std::string& qos, int64_t request, int64_t capacity) {
  if (qos == "Guaranteed") return kGuaranteedScore;
  if (qos == "BestEffort" || capacity <= 0) return kBestEffortScore;
  constexpr int64_t kLeast = 3, kMost = 999;
  return static_cast<int>(std::clamp<int64_t>(1000 - 1000 * request / capacity, kLeast, kMost));
}

const json::Value& request_of(const json::Value& resources, const char* name) {
  const auto& request = resources["requests"][name];
  return request.is_null() ? resources["limits"][name] : request;
}

uint64_t shares_of(int64_t milli) {
  return static_cast<uint64_t>(std::max(kMinShares, milli * kSharesPerCpu / 1000));
}
int64_t quota_of(int64_t milli) {
  return std::max(kMinQuotaUs, milli * kCpuPeriodUs / 1000);
}

// What the containers of a pod come to: an init container runs with the sidecars before it, the apps with all
// sidecars, and the most that is ever needed counts.
class PodSum {
 public:
  void add(Role role, std::optional<int64_t> amount) {
    complete_ = complete_ && amount.value_or(0) > 0;
    const int64_t value = amount.value_or(0);
    if (role == Role::kApp) apps_ += value;
    if (role == Role::kSidecar) sidecars_ += value;
    if (role == Role::kInit) most_ = std::max(most_, sidecars_ + value);
  }
  int64_t total() const { return std::max(most_, sidecars_ + apps_); }
  // Nothing when a container sets none: it may take what there is.
  std::optional<int64_t> limit() const { return complete_ ? std::optional(total()) : std::nullopt; }

 private:
  int64_t apps_ = 0, sidecars_ = 0, most_ = 0;
  bool complete_ = true;
};
}  // namespace

Limits make_limits(const json::Value& pod, const json::Value& container, int64_t node_memory_bytes) {
  const auto& resources = container["resources"];
  Limits out;
  const int64_t cpu_request = parse_milli(request_of(resources, "cpu")).value_or(0);
  out.cpu_shares = shares_of(cpu_request);
  if (const auto cpu = parse_milli(resources["limits"]["cpu"]); cpu && *cpu > 0) {
    out.cpu_quota_us = quota_of(*cpu);
  }
  if (const auto memory = parse_units(resources["limits"]["memory"]); memory && *memory > 0)
    out.memory_bytes = *memory;
  const int64_t memory_request = parse_units(request_of(resources, "memory")).value_or(0);
  out.oom_score_adj = oom_score(qos_class(pod["spec"]), memory_request, node_memory_bytes);
  return out;
}

PodLimits make_pod_limits(const json::Value& pod) {
  PodSum cpu_request, cpu, memory;
  for (const auto& def : list_containers(pod)) {
    const auto& resources = def.spec["resources"];
    cpu_request.add(def.role, parse_milli(request_of(resources, "cpu")));
    cpu.add(def.role, parse_milli(resources["limits"]["cpu"]));
    memory.add(def.role, parse_units(resources["limits"]["memory"]));
  }
  const auto& overhead = pod["spec"]["overhead"];
  const auto more_cpu = parse_milli(overhead["cpu"]).value_or(0);
  PodLimits out;
  out.cpu_shares = shares_of(cpu_request.total() + more_cpu);
  if (const auto limit = cpu.limit()) out.cpu_quota_us = quota_of(*limit + more_cpu);
  if (const auto limit = memory.limit()) {
    out.memory_bytes = *limit + parse_units(overhead["memory"]).value_or(0);
  }
  return out;
}

}  // namespace skiff::node
