#include "control/endpoints/plan.h"

#include <algorithm>
#include <map>

#include "control/endpoints/slices.h"

namespace skiff::control {

namespace {

constexpr size_t kSliceSize = 100;      // endpoints of one slice, as upstream
constexpr size_t kMaxAddresses = 1000;  // of Endpoints, as upstream

bool is_listed(const Value& pod) {
  const auto& phase = pod["status"]["phase"].str();
  return !pod["status"]["podIP"].str().empty() && phase != "Failed" && phase != "Succeeded";
}

Value target_of(const Value& pod) {
  return Value::object(
      {{"kind", "Pod"}, {"namespace", namespace_of(pod)}, {"name", name_of(pod)}, {"uid", uid_of(pod)}});
}

// The number a Service port means in this pod; nothing for a name the pod lacks.
std::optional<int64_t> target_port(const Value& port, const Value& pod) {
  const auto& target = port["targetPort"];
  if (target.is_number()) return target.as_int();
  if (target.str().empty()) return port["port"].as_int();
  for (const auto& container : pod["spec"]["containers"].items()) {
    for (const auto& candidate : container["ports"].items()) {
      if (candidate["name"] == target &&
          candidate["protocol"].str_or("TCP") == port["protocol"].str_or("TCP")) {
        return candidate["containerPort"].as_int();
      }
    }
  }
  return std::nullopt;
}

Value ports_of(const Value& service, const Value& pod) {
  auto ports = Value::array();
  for (const auto& port : service["spec"]["ports"].items()) {
    const auto number = target_port(port, pod);
    if (!number) continue;
    auto out = Value::object(
        {{"name", port["name"].str()}, {"port", *number}, {"protocol", port["protocol"].str_or("TCP")}});
    if (!port["appProtocol"].empty()) out.set("appProtocol", port["appProtocol"]);
    ports.push_back(std::move(out));
  }
  return ports;
}

bool is_headless(const Value& service) {
  return service["spec"]["clusterIP"].str() == "None";
}

Value endpoint_of(const Value& service, const Value& pod) {
  const bool forced = service["spec"]["publishNotReadyAddresses"].as_bool();
  const bool serving = forced || is_pod_ready(pod);
  const bool terminating = is_deleting(pod);
  auto endpoint = Value::object({{"addresses", Value::array({pod["status"]["podIP"]})},
                                 {"conditions", Value::object({{"ready", forced || (serving && !terminating)},
                                                               {"serving", serving},
                                                               {"terminating", terminating}})}});
  if (!pod["spec"]["nodeName"].empty()) endpoint.set("nodeName", pod["spec"]["nodeName"]);
  if (!pod["spec"]["hostname"].empty() && pod["spec"]["subdomain"].str() == name_of(service)) {
    endpoint.set("hostname", pod["spec"]["hostname"]);
  }
  endpoint.set("targetRef", target_of(pod));
  return endpoint;
}

Value labels_of(const Value& service) {
  auto labels = service["metadata"]["labels"];
  if (is_headless(service)) labels.set("service.kubernetes.io/headless", "");
  labels.set(kServiceName, name_of(service));
  labels.set(kManagedBy, kManager);
  return labels;
}

Value make_slice(const Value& service, Value endpoints, Value ports) {
  return Value::object(
      {{"apiVersion", "discovery.k8s.io/v1"},
       {"kind", "EndpointSlice"},
       {"metadata",
        Value::object({{"generateName", name_of(service) + "-"},
                       {"namespace", namespace_of(service)},
                       {"labels", labels_of(service)},
                       {"ownerReferences", Value::array({make_controller_ref(service, "v1", "Service")})}})},
       {"addressType", "IPv4"},
       {"endpoints", std::move(endpoints)},
       {"ports", std::move(ports)}});
}

// Wanted slices: one group for each set of ports, cut into pieces.
std::vector<Value> wanted_slices(const Value& service, const std::vector<Value>& pods) {
  std::map<std::string, std::pair<Value, std::vector<Value>>> groups;
  for (const auto& pod : pods) {
    auto ports = ports_of(service, pod);
    auto& group = groups[json::encode(ports)];
    group.first = std::move(ports);
    group.second.push_back(endpoint_of(service, pod));
  }
  std::vector<Value> out;
  for (auto& [text, group] : groups) {
    for (size_t at = 0; at < group.second.size(); at += kSliceSize) {
      auto piece = Value::array();
      for (size_t i = at; i < std::min(at + kSliceSize, group.second.size()); ++i)
        piece.push_back(group.second[i]);
      out.push_back(make_slice(service, std::move(piece), group.first));
    }
  }
  if (out.empty()) out.push_back(make_slice(service, Value::array(), Value::array()));
  return out;
}

Value wanted_subsets(const Value& service, const std::vector<Value>& pods) {
  const bool forced = service["spec"]["publishNotReadyAddresses"].as_bool();
  std::map<std::string, Value> subsets;
  size_t count = 0;
  for (const auto& pod : pods) {
    if ((is_deleting(pod) && !forced) || ++count > kMaxAddresses) continue;
    auto ports = ports_of(service, pod);
    auto& subset = subsets[json::encode(ports)];
    auto address = Value::object({{"ip", pod["status"]["podIP"]}});
    if (!pod["spec"]["nodeName"].empty()) address.set("nodeName", pod["spec"]["nodeName"]);
    address.set("targetRef", target_of(pod));
    subset.edit(forced || is_pod_ready(pod) ? "addresses" : "notReadyAddresses")
        .push_back(std::move(address));
    auto plain = Value::array();
    for (auto port : ports.items()) {
      if (port["name"].str().empty()) port.erase("name");
      plain.push_back(std::move(port));
    }
    if (plain.size() > 0) subset.set("ports", std::move(plain));
  }
  auto out = Value::array();
  for (auto& [ports, subset] : subsets) out.push_back(std::move(subset));
  return out;
}

void plan_endpoints_object(const EndpointsView& view, const std::vector<Value>& pods, Plan& plan) {
  auto subsets = wanted_subsets(view.service, pods);
  auto labels = view.service["metadata"]["labels"];
  if (is_headless(view.service)) labels.set("service.kubernetes.io/headless", "");
  const auto& ns = namespace_of(view.service);
  if (view.endpoints.is_null()) {
    auto metadata = Value::object({{"name", name_of(view.service)}, {"namespace", ns}});
    if (!labels.empty()) metadata.set("labels", labels);
    auto object =
        Value::object({{"apiVersion", "v1"}, {"kind", "Endpoints"}, {"metadata", std::move(metadata)}});
    if (subsets.size() > 0) object.set("subsets", std::move(subsets));
    plan.actions.push_back(create(path_of("/api/v1", "endpoints", ns), std::move(object)));
    return;
  }
  if (same_meaning(view.endpoints["subsets"], subsets)) return;
  auto changed = view.endpoints;
  if (!labels.empty()) changed.edit("metadata").set("labels", labels);
  changed.set("subsets", std::move(subsets));
  plan.actions.push_back(update(path_of("/api/v1", "endpoints", ns, name_of(changed)), std::move(changed)));
}

}  // namespace

Plan plan_endpoints(const EndpointsView& view) {
  Plan plan;
  // Without a selector the endpoints are the user's.
  if (view.service["spec"]["selector"].empty() || view.service["spec"]["type"].str() == "ExternalName")
    return plan;
  if (is_deleting(view.service)) return plan;
  std::vector<Value> pods;
  for (const auto& pod : view.pods) {
    if (is_listed(pod)) pods.push_back(pod);
  }
  plan_slices(wanted_slices(view.service, pods), view.slices, plan);
  plan_endpoints_object(view, pods, plan);
  return plan;
}

}  // namespace skiff::control
