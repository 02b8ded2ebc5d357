#include <algorithm>
#include <array>

#include "base/strings.h"
#include "kube/print/cells.h"
#include "kube/print/printers.h"

namespace skiff::kube {

namespace {

constexpr std::array kNode = std::to_array<Column>({{"Name", "string", "name"},
                                                    {"Status"},
                                                    {"Roles"},
                                                    {"Age"},
                                                    {"Version"},
                                                    {"Internal-IP", "string", "", 1},
                                                    {"External-IP", "string", "", 1},
                                                    {"OS-Image", "string", "", 1},
                                                    {"Kernel-Version", "string", "", 1},
                                                    {"Container-Runtime", "string", "", 1}});
constexpr std::array kNamespace = std::to_array<Column>({{"Name", "string", "name"}, {"Status"}, {"Age"}});
constexpr std::array kLease = std::to_array<Column>({{"Name", "string", "name"}, {"Holder"}, {"Age"}});

std::string status_of(const json::Value& node) {
  std::string text = "Unknown";
  for (const auto& one : node["status"]["conditions"].items()) {
    if (one["type"].str() == "Ready") text = one["status"].str() == "True" ? "Ready" : "NotReady";
  }
  return node["spec"]["unschedulable"].as_bool() ? text + ",SchedulingDisabled" : text;
}

std::string roles_of(const json::Value& node) {
  constexpr std::string_view kPrefix = "node-role.kubernetes.io/";
  std::vector<std::string> roles;
  for (const auto& [key, value] : node["metadata"]["labels"].members()) {
    if (key.starts_with(kPrefix) && key.size() > kPrefix.size()) roles.push_back(key.substr(kPrefix.size()));
    if (key == "kubernetes.io/role" && !value.str().empty()) roles.push_back(value.str());
  }
  std::ranges::sort(roles);
  roles.erase(std::unique(roles.begin(), roles.end()), roles.end());
  return or_none(join(roles, ","));
}

std::string address_of(const json::Value& node, std::string_view type) {
  for (const auto& one : node["status"]["addresses"].items()) {
    if (one["type"].str() == type) return one["address"].str();
  }
  return "<none>";
}

std::string or_unknown(const json::Value& text) {
  return text.str().empty() ? "<unknown>" : text.str();
}

json::Array node_cells(const json::Value& object, WallTime now) {
  const auto& info = object["status"]["nodeInfo"];
  return {name_of(object),
          status_of(object),
          roles_of(object),
          age_of(object, now),
          info["kubeletVersion"].str(),
          address_of(object, "InternalIP"),
          address_of(object, "ExternalIP"),
          or_unknown(info["osImage"]),
          or_unknown(info["kernelVersion"]),
          or_unknown(info["containerRuntimeVersion"])};
}

json::Array namespace_cells(const json::Value& object, WallTime now) {
  return {name_of(object), object["status"]["phase"].str(), age_of(object, now)};
}

json::Array lease_cells(const json::Value& object, WallTime now) {
  return {name_of(object), object["spec"]["holderIdentity"].str(), age_of(object, now)};
}

constexpr std::array kPrinters =
    std::to_array<Printer>({{"", "Node", kNode, node_cells},
                            {"", "Namespace", kNamespace, namespace_cells},
                            {"coordination.k8s.io", "Lease", kLease, lease_cells}});

}  // namespace

std::span<const Printer> cluster_printers() {
  return kPrinters;
}

}  // namespace skiff::kube
