#include "control/endpoints/mirror.h"

#include <algorithm>

#include "control/endpoints/slices.h"

namespace skiff::control {

namespace {

constexpr size_t kMaxEndpoints = 1000;  // of a slice, and of what is mirrored of a subset, as upstream

bool is_mirrored(const Value& service, const Value& endpoints) {
  const auto& metadata = endpoints["metadata"];
  return !endpoints.is_null() && !is_deleting(endpoints) && service["spec"]["selector"].empty() &&
         metadata["labels"]["endpointslice.kubernetes.io/skip-mirror"].str() != "true" &&
         !metadata["annotations"].contains("control-plane.alpha.kubernetes.io/leader");
}

std::string family_of(const std::string& address) {
  return address.find(':') == std::string::npos ? "IPv4" : "IPv6";
}

Value endpoint_of(const Value& address, bool ready) {
  auto endpoint = Value::object(
      {{"addresses", Value::array({address["ip"]})}, {"conditions", Value::object({{"ready", ready}})}});
  for (const char* field : {"hostname", "nodeName", "targetRef"}) {
    if (!address[field].empty()) endpoint.set(field, address[field]);
  }
  return endpoint;
}

Value endpoints_of(const Value& subset, const std::string& family) {
  auto out = Value::array();
  const auto add = [&](const char* list, bool ready) {
    for (const auto& address : subset[list].items()) {
      if (family_of(address["ip"].str()) == family && out.size() < kMaxEndpoints)
        out.push_back(endpoint_of(address, ready));
    }
  };
  add("addresses", true);
  add("notReadyAddresses", false);
  return out;
}

Value ports_of(const Value& subset) {
  auto out = Value::array();
  for (const auto& port : subset["ports"].items()) {
    auto mirrored = port;
    mirrored.set("name", port["name"].str());
    mirrored.set("protocol", port["protocol"].str_or("TCP"));
    out.push_back(std::move(mirrored));
  }
  return out;
}

Value make_slice(const Value& owner, const std::string& family, Value endpoints, Value ports) {
  auto labels = owner["metadata"]["labels"];
  labels.set(kServiceName, name_of(owner));
  labels.set(kManagedBy, kMirrorManager);
  return Value::object(
      {{"apiVersion", "discovery.k8s.io/v1"},
       {"kind", "EndpointSlice"},
       {"metadata",
        Value::object({{"generateName", name_of(owner) + "-"},
                       {"namespace", namespace_of(owner)},
                       {"labels", labels},
                       {"ownerReferences", Value::array({make_controller_ref(owner, "v1", "Endpoints")})}})},
       {"addressType", family},
       {"endpoints", std::move(endpoints)},
       {"ports", std::move(ports)}});
}

}  // namespace

Plan plan_mirror(const MirrorView& view) {
  Plan plan;
  const bool mirrored = is_mirrored(view.service, view.endpoints);
  for (const std::string family : {"IPv4", "IPv6"}) {
    std::vector<Value> wanted, present;
    for (const auto& subset : view.endpoints["subsets"].items()) {
      auto endpoints = endpoints_of(subset, family);
      if (mirrored && endpoints.size() > 0)
        wanted.push_back(make_slice(view.endpoints, family, std::move(endpoints), ports_of(subset)));
    }
    for (const auto& slice : view.slices) {
      if (slice["addressType"].str() == family) present.push_back(slice);
    }
    plan_slices(std::move(wanted), present, plan);
  }
  return plan;
}

}  // namespace skiff::control
