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
}  // namespace

Limits make_limits(const json::Value& pod, const json::Value& container, int64_t node_memory_bytes) {
  const auto& resources = container["resources"];
  Limits out;
  const int64_t cpu_request = parse_milli(request_of(resources, "cpu")).value_or(0);
  out.cpu_shares = static_cast<uint64_t>(std::max(kMinShares, cpu_request * kSharesPerCpu / 1000));
  if (const auto cpu = parse_milli(resources["limits"]["cpu"]); cpu && *cpu > 0) {
    out.cpu_quota_us = std::max(kMinQuotaUs, *cpu * kCpuPeriodUs / 1000);
  }
  if (const auto memory = parse_units(resources["limits"]["memory"]); memory && *memory > 0)
    out.memory_bytes = *memory;
  const int64_t memory_request = parse_units(request_of(resources, "memory")).value_or(0);
  out.oom_score_adj = oom_score(qos_class(pod["spec"]), memory_request, node_memory_bytes);
  return out;
}

}  // namespace skiff::node
