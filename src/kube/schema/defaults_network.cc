#include "kube/schema/defaults.h"

namespace skiff::kube::defaults {
namespace {

using json::Value;

constexpr int kClientIpTimeoutSeconds = 10800;

void ports(Value& spec) {
  if (spec["ports"].empty()) return;
  for (auto& port : spec.edit("ports").edit_items()) {
    set_if_zero(port, "protocol", "TCP");
    auto number = port["port"];
    set_if_zero(port, "targetPort", number);
  }
}

bool is_external(const Value& spec, const std::string& type) {
  return type == "NodePort" || type == "LoadBalancer" ||
         (type == "ClusterIP" && !spec["externalIPs"].empty());
}

}  // namespace

void service(Value& service) {
  auto& spec = service.edit("spec");
  set_if_zero(spec, "sessionAffinity", "None");
  set_if_zero(spec, "type", "ClusterIP");
  const auto type = spec["type"].str();
  if (spec["sessionAffinity"].str() == "ClientIP") {
    set_if_absent(spec.edit("sessionAffinityConfig").edit("clientIP"), "timeoutSeconds",
                  kClientIpTimeoutSeconds);
  } else if (spec["sessionAffinity"].str() == "None") {
    spec.erase("sessionAffinityConfig");
  }
  ports(spec);
  if (is_external(spec, type)) set_if_zero(spec, "externalTrafficPolicy", "Cluster");
  if (type == "LoadBalancer") set_if_absent(spec, "allocateLoadBalancerNodePorts", true);
  if (type == "ExternalName") return;
  set_if_absent(spec, "internalTrafficPolicy", "Cluster");
  set_if_absent(spec, "ipFamilyPolicy", "SingleStack");
  if (spec["ipFamilies"].empty()) spec.set("ipFamilies", Value::array({"IPv4"}));
}

void endpoints(Value& endpoints) {
  if (endpoints["subsets"].empty()) return;
  for (auto& subset : endpoints.edit("subsets").edit_items()) {
    if (subset["ports"].empty()) continue;
    for (auto& port : subset.edit("ports").edit_items()) set_if_zero(port, "protocol", "TCP");
  }
}

void endpoint_slice(Value& slice) {
  if (slice["ports"].empty()) return;
  for (auto& port : slice.edit("ports").edit_items()) {
    set_if_absent(port, "name", "");
    set_if_absent(port, "protocol", "TCP");
  }
}

}  // namespace skiff::kube::defaults
