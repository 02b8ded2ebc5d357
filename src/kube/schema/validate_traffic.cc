// How a Service's traffic is led: address families, policies, the sources that may come.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/ip.h"
#include "base/strings.h"
#include "kube/schema/names.h"
#include "kube/schema/validate.h"

namespace skiff::kube {
namespace {

using json::Value;

constexpr int kMostClientIpSeconds = 86400;

// Pods have IPv4 addresses alone. A headless Service without a selector leads to what others say.
void check_families(const Value& spec, const Value* before, Findings& findings) {
  const auto& families = spec["ipFamilies"];
  const auto& policy = spec["ipFamilyPolicy"];
  const std::vector<std::string> known = {"IPv4", "IPv6"};
  const bool free = spec["clusterIP"].str() == "None" && spec["selector"].empty();
  const bool as_before = before != nullptr && (*before)["ipFamilies"] == families;
  std::set<std::string> seen;
  for (size_t i = 0; i < families.size(); ++i) {
    const auto at = fmt::format("spec.ipFamilies[{}]", i);
    const auto& family = families.at(i);
    check_choice(family, at, known, findings);
    if (!seen.insert(family.str()).second) findings.duplicate(at, family);
    if (family.str() == "IPv6" && !free && !as_before)
      findings.invalid(at, family, "not configured on this cluster");
  }
  check_choice(policy, "spec.ipFamilyPolicy", {"PreferDualStack", "RequireDualStack", "SingleStack"},
               findings);
  if (policy.str() == "RequireDualStack" && !free &&
      (before == nullptr || (*before)["ipFamilyPolicy"] != policy))
    findings.invalid("spec.ipFamilyPolicy", policy, "this cluster is not configured for dual-stack services");
}

void check_sources(const Value& spec, Findings& findings) {
  const auto& ranges = spec["loadBalancerSourceRanges"];
  // The capital letter is upstream's.
  const std::string field = "spec.LoadBalancerSourceRanges";
  if (!ranges.empty() && spec["type"].str() != "LoadBalancer")
    findings.forbidden(field, "may only be used when `type` is 'LoadBalancer'");
  for (size_t i = 0; i < ranges.size(); ++i) {
    const std::string text(trim(ranges.at(i).str()));
    if (text.contains('/') && parse_network(text)) continue;
    findings.invalid(fmt::format("{}[{}]", field, i), Value(text),
                     "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
  }
}

void check_affinity_time(const Value& spec, Findings& findings) {
  const auto& seconds = spec["sessionAffinityConfig"]["clientIP"]["timeoutSeconds"];
  if (!seconds.is_int() || (seconds.as_int() > 0 && seconds.as_int() <= kMostClientIpSeconds)) return;
  findings.invalid("spec.sessionAffinityConfig.clientIP.timeoutSeconds", seconds,
                   fmt::format("must be greater than 0 and less than {}", kMostClientIpSeconds));
}

}  // namespace

void validate_traffic(const Value& service, const Value* old, Findings& findings) {
  const auto& spec = service["spec"];
  const Value* before = old == nullptr ? nullptr : &(*old)["spec"];
  // What is stored may stand, so that its status can be told: earlier rules allowed more.
  if (before != nullptr && *before == spec) return;
  if (spec["type"].str() != "ExternalName") check_families(spec, before, findings);
  check_affinity_time(spec, findings);
  check_sources(spec, findings);
  if (!spec["externalTrafficPolicy"].empty())
    check_choice(spec["externalTrafficPolicy"], "spec.externalTrafficPolicy", {"Cluster", "Local"}, findings);
  check_choice(spec["internalTrafficPolicy"], "spec.internalTrafficPolicy", {"Cluster", "Local"}, findings);
  check_choice(spec["trafficDistribution"], "spec.trafficDistribution", {"PreferClose"}, findings);
  const auto& ports = spec["ports"];
  for (size_t i = 0; i < ports.size(); ++i) {
    const auto& protocol = ports.at(i)["appProtocol"];
    if (protocol.is_null()) continue;
    findings.invalid_all(fmt::format("spec.ports[{}].appProtocol", i), protocol,
                         check_qualified_name(protocol.str()));
  }
}

}  // namespace skiff::kube
