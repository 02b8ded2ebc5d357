#include <algorithm>
#include <map>
#include <set>

#include "base/strings.h"
#include "kube/schema/names.h"
#include "kube/server/admission.h"
#include "kube/server/service_range.h"
#include "kube/server/status.h"

namespace skiff::kube {

namespace {

using NodePorts = std::set<int64_t>;

NodePorts node_ports_of(const json::Value& spec) {
  NodePorts out;
  for (const auto& port : spec["ports"].items()) out.insert(port["nodePort"].as_int());
  out.erase(0);
  return out;
}

bool has_node_ports(const json::Value& spec) {
  return spec["type"].str() == "NodePort" || spec["type"].str() == "LoadBalancer";
}

bool needs_address(const json::Value& spec) {
  return spec["type"].str() != "ExternalName";
}
bool needs_health_port(const json::Value& spec) {
  return spec["type"].str() == "LoadBalancer" && spec["externalTrafficPolicy"].str() == "Local";
}
bool is_reachable_from_outside(const json::Value& spec) {
  return has_node_ports(spec) || (spec["type"].str() == "ClusterIP" && !spec["externalIPs"].empty());
}

// What only the former type has goes with it, unless the writer set it anew: then the checks refuse it.
void drop_for_type(const json::Value& before, json::Value& spec) {
  const auto drop = [&](const char* field) {
    if (spec[field] == before[field]) spec.erase(field);
  };
  if (needs_address(before) && !needs_address(spec)) {
    const bool same = spec["clusterIP"].str().empty() || spec["clusterIP"] == before["clusterIP"];
    if (same && (spec["clusterIPs"].empty() || spec["clusterIPs"] == before["clusterIPs"])) {
      spec.erase("clusterIP");
      spec.erase("clusterIPs");
    }
    drop("ipFamilies");
    drop("ipFamilyPolicy");
  }
  if (!needs_address(before) && needs_address(spec)) drop("externalName");
  if (needs_health_port(before) && !needs_health_port(spec)) drop("healthCheckNodePort");
  if (before["type"].str() == "LoadBalancer" && spec["type"].str() != "LoadBalancer") {
    drop("allocateLoadBalancerNodePorts");
    drop("loadBalancerClass");
  }
  if (!is_reachable_from_outside(spec)) drop("externalTrafficPolicy");
  if (has_node_ports(spec) || !has_node_ports(before)) return;
  if (spec["ports"].empty() || node_ports_of(spec) != node_ports_of(before)) return;
  for (auto& port : spec.edit("ports").edit_items()) port.erase("nodePort");
}

// A port that is written without its node port keeps the one that it had under this name.
void keep_node_ports(const json::Value& before, json::Value& spec) {
  auto used = node_ports_of(spec);
  for (auto& port : spec.edit("ports").edit_items()) {
    if (port["nodePort"].as_int() != 0) continue;
    for (const auto& old : before["ports"].items()) {
      const bool same = old["name"].str() == port["name"].str() && old["nodePort"].as_int() != 0;
      if (same && used.insert(old["nodePort"].as_int()).second) port.set("nodePort", old["nodePort"]);
    }
  }
}

// 0 when all are taken.
int64_t find_node_port(const NodePorts& taken, Random& random) {
  constexpr int64_t kGiven = 86;  // the first ones are for those who choose, while there are others
  constexpr int64_t kFound = kLastNodePort - kFirstNodePort + 1 - kGiven;
  const auto start = static_cast<int64_t>(random.below(kFound));
  for (int64_t step = 0; step < kFound; ++step) {
    const int64_t candidate = kFirstNodePort + kGiven + (start + step) % kFound;
    if (!taken.contains(candidate)) return candidate;
  }
  for (int64_t candidate = kFirstNodePort; candidate < kFirstNodePort + kGiven; ++candidate) {
    if (!taken.contains(candidate)) return candidate;
  }
  return 0;
}

// Gives each port one; false when all are taken.
bool fill_node_ports(json::Array& ports, NodePorts taken, Random& random) {
  std::map<int64_t, int64_t> by_number;  // one node port for all protocols of a port
  for (const auto& port : ports) {
    if (port["nodePort"].as_int() != 0) by_number.emplace(port["port"].as_int(), port["nodePort"].as_int());
  }
  for (auto& port : ports) {
    if (port["nodePort"].as_int() != 0) continue;
    auto& found = by_number[port["port"].as_int()];
    if (found == 0) found = find_node_port(taken, random);
    if (found == 0) return false;
    taken.insert(found);
    port.set("nodePort", found);
  }
  return true;
}

}  // namespace

Result<std::vector<json::Value>> Admission::all_services() const {
  const Target all{objects_.kind("", "services"), "", ""};
  auto page = objects_.store().list({collection_prefix(all), "", 0, {}});
  if (!page) return std::unexpected(page.error());
  std::vector<json::Value> out;
  for (const auto& entry : page->entries) {
    if (auto value = json::parse(*entry.value)) out.push_back(std::move(*value));
  }
  return out;
}

Admission::Claim::Claim(Admission& admission, const Kind& kind, const json::Value& object)
    : admission_(admission) {
  if (!kind.group.empty() || kind.kind != "Service") return;
  if (const auto& address = object["spec"]["clusterIP"].str(); !address.empty() && address != "None")
    addresses_.push_back(address);
  for (const int64_t port : node_ports_of(object["spec"])) ports_.push_back(port);
  admission_.claimed_addresses_.insert(addresses_.begin(), addresses_.end());
  admission_.claimed_ports_.insert(ports_.begin(), ports_.end());
}

Admission::Claim::~Claim() {
  const auto drop = [](auto& claimed, const auto& items) {
    for (const auto& item : items) claimed.erase(claimed.find(item));
  };
  drop(admission_.claimed_addresses_, addresses_);
  drop(admission_.claimed_ports_, ports_);
}

Result<std::set<std::string>> Admission::taken_addresses() const {
  auto services = all_services();
  if (!services) return std::unexpected(services.error());
  std::set<std::string> taken(claimed_addresses_.begin(), claimed_addresses_.end());
  for (const auto& other : *services) taken.insert(other["spec"]["clusterIP"].str());
  return taken;
}

// Also what the machine itself listens on: a Service there would take the API's or the edge's visitors.
Result<std::set<int64_t>> Admission::taken_node_ports() const {
  auto services = all_services();
  if (!services) return std::unexpected(services.error());
  NodePorts taken(claimed_ports_.begin(), claimed_ports_.end());
  const auto& own = objects_.options().machine_ports;
  taken.insert(own.begin(), own.end());
  taken.insert(objects_.options().secure_port);
  for (const auto& other : *services) taken.merge(node_ports_of(other["spec"]));
  return taken;
}

Result<void> Admission::admit_node_ports(const json::Value* before, json::Value& service) {
  json::Value& spec = service.edit("spec");
  if (!has_node_ports(spec) || spec["ports"].empty()) return {};
  NodePorts own;
  if (before) {
    keep_node_ports((*before)["spec"], spec);
    own = node_ports_of((*before)["spec"]);
  }
  auto& ports = spec.edit("ports").edit_items();
  const auto is_own = [&](const json::Value& port) { return own.contains(port["nodePort"].as_int()); };
  if (std::ranges::all_of(ports, is_own)) return {};
  auto taken = taken_node_ports();
  if (!taken) return std::unexpected(taken.error());
  for (size_t i = 0; i < ports.size(); ++i) {
    if (is_own(ports[i]) || !taken->contains(ports[i]["nodePort"].as_int())) continue;
    const FieldError error{
        "FieldValueInvalid", "spec.ports[" + std::to_string(i) + "].nodePort",
        "Invalid value: " + json::encode(ports[i]["nodePort"]) + ": provided port is already allocated"};
    return std::unexpected(invalid("", "Service", service["metadata"]["name"].str(), {error}));
  }
  if (spec["type"].str() == "LoadBalancer" && !spec["allocateLoadBalancerNodePorts"].as_bool(true)) return {};
  taken->merge(node_ports_of(spec));
  if (fill_node_ports(ports, std::move(*taken), objects_.loop().random())) return {};
  return std::unexpected(make_status_error(
      500, "InternalError", "Internal error occurred: failed to allocate a nodePort: range is full"));
}

Result<void> Admission::check_address(const std::string& wanted, const json::Value& service) {
  const auto refuse = [&](const std::string& why) -> Result<void> {
    const FieldError error{
        "FieldValueInvalid", "spec.clusterIPs",
        "Invalid value: []string{\"" + wanted + "\"}: failed to allocate IP " + wanted + ": " + why};
    return std::unexpected(invalid("", "Service", service["metadata"]["name"].str(), {error}));
  };
  const std::string& range_text = objects_.options().service_range;
  const ServiceRange range(range_text);
  const auto address = ServiceRange::parse(wanted);
  if (!address || !range.may_have(*address)) {
    return refuse("the provided IP (" + wanted + ") is not in the valid range. The range of valid IPs is " +
                  range_text);
  }
  auto taken = taken_addresses();
  if (!taken) return std::unexpected(taken.error());
  const json::Value& metadata = service["metadata"];
  const std::string owner = range.owner_of(wanted);
  const bool reserved = !owner.empty() && owner != metadata["namespace"].str() + "/" + metadata["name"].str();
  if (reserved || taken->contains(wanted)) return refuse("provided IP is already allocated");
  return {};
}

Result<std::string> Admission::find_address() {
  auto taken = taken_addresses();
  if (!taken) return std::unexpected(taken.error());
  const ServiceRange range(objects_.options().service_range);
  constexpr uint32_t kFirst = ServiceRange::kFirstGiven;
  const uint32_t usable = range.size() > 2 * kFirst ? range.size() - kFirst - 1 : 0;
  const auto start = usable ? static_cast<uint32_t>(objects_.loop().random().below(usable)) : 0U;
  for (uint32_t step = 0; step < usable; ++step) {
    const std::string candidate = ServiceRange::format(range.base() + kFirst + (start + step) % usable);
    if (!taken->contains(candidate)) return candidate;
  }
  return std::unexpected(make_status_error(
      500, "InternalError",
      "every address of the service range " + objects_.options().service_range + " is taken"));
}

Result<void> Admission::admit_address(const json::Value* before, json::Value& service) {
  json::Value& spec = service.edit("spec");
  const json::Value old = before ? (*before)["spec"] : json::Value();
  const bool had = before && needs_address(old);
  // Who names the list alone is told so by the checks.
  if (spec["clusterIP"].str().empty() && (had || spec["clusterIPs"].empty())) {
    for (const char* field : {"clusterIP", "clusterIPs"}) {
      if (had && spec[field].empty() && !old[field].empty()) spec.set(field, old[field]);
    }
  }
  std::string address = spec["clusterIP"].str();
  const bool known = had && !old["clusterIP"].str().empty();
  if (address.empty() && spec["clusterIPs"].empty()) {
    auto found = find_address();
    if (!found) return std::unexpected(found.error());
    address = *found;
  } else if (address != "None" && !known && !address.empty() && is_ip(address)) {
    // An address cannot change, nor be none, which the kind's checks say.
    SKIFF_RETURN_IF_ERROR(check_address(address, service));
  }
  if (!address.empty()) spec.set("clusterIP", address);
  if (spec["clusterIPs"].empty()) spec.set("clusterIPs", json::Value::array({address}));
  if (spec["ipFamilies"].empty()) spec.set("ipFamilies", json::Value::array({"IPv4"}));
  if (spec["ipFamilyPolicy"].is_null()) spec.set("ipFamilyPolicy", "SingleStack");
  return {};
}

Result<void> Admission::admit_service(const json::Value* before, json::Value& service) {
  if (before) drop_for_type((*before)["spec"], service.edit("spec"));
  SKIFF_RETURN_IF_ERROR(admit_node_ports(before, service));
  if (!before) service.set("status", json::Value::object({{"loadBalancer", json::Value::object()}}));
  if (!needs_address(service["spec"])) return {};
  return admit_address(before, service);
}

}  // namespace skiff::kube
