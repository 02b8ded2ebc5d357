#include <algorithm>
#include <map>
#include <set>

#include "base/strings.h"
#include "kube/schema/names.h"
#include "kube/server/admission.h"
#include "kube/server/status.h"

namespace skiff::kube {

namespace {

// The first address and the number of addresses of "10.96.0.0/16".
struct Range {
  uint32_t base = 0, size = 0;
};
uint32_t parse_ipv4(std::string_view text) {
  uint32_t address = 0;
  for (const auto& part : split(text, '.'))
    address = address << 8 | static_cast<uint32_t>(parse_uint(part).value_or(0) & 255);
  return address;
}
Range parse_range(std::string_view text) {
  const auto [address, bits, found] = split_once(text, "/");
  const auto length = parse_uint(bits).value_or(16);
  return {parse_ipv4(address), length >= 32 ? 1U : 1U << (32 - length)};
}
std::string format_ipv4(uint32_t address) {
  return std::to_string(address >> 24) + "." + std::to_string(address >> 16 & 255) + "." +
         std::to_string(address >> 8 & 255) + "." + std::to_string(address & 255);
}

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

// What only the former type has goes with it, unless the writer set it anew: then the checks refuse it.
void drop_for_type(const json::Value& before, json::Value& spec) {
  const auto drop = [&](const char* field) {
    if (spec[field] == before[field]) spec.erase(field);
  };
  if (spec["type"].str() != "LoadBalancer") drop("allocateLoadBalancerNodePorts");
  if (has_node_ports(spec) || !has_node_ports(before)) return;
  if (spec["externalIPs"].empty()) drop("externalTrafficPolicy");
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

Result<void> Admission::admit_node_ports(const json::Value* before, json::Value& service) {
  json::Value& spec = service.edit("spec");
  if (before) drop_for_type((*before)["spec"], spec);
  if (!has_node_ports(spec) || spec["ports"].empty()) return {};
  NodePorts own;
  if (before) {
    keep_node_ports((*before)["spec"], spec);
    own = node_ports_of((*before)["spec"]);
  }
  auto& ports = spec.edit("ports").edit_items();
  const auto is_own = [&](const json::Value& port) { return own.contains(port["nodePort"].as_int()); };
  if (std::ranges::all_of(ports, is_own)) return {};
  auto services = all_services();
  if (!services) return std::unexpected(services.error());
  NodePorts taken;
  for (const auto& other : *services) taken.merge(node_ports_of(other["spec"]));
  for (size_t i = 0; i < ports.size(); ++i) {
    if (is_own(ports[i]) || !taken.contains(ports[i]["nodePort"].as_int())) continue;
    const FieldError error{
        "FieldValueInvalid", "spec.ports[" + std::to_string(i) + "].nodePort",
        "Invalid value: " + json::encode(ports[i]["nodePort"]) + ": provided port is already allocated"};
    return std::unexpected(invalid("", "Service", service["metadata"]["name"].str(), {error}));
  }
  if (spec["type"].str() == "LoadBalancer" && !spec["allocateLoadBalancerNodePorts"].as_bool(true)) return {};
  taken.merge(node_ports_of(spec));
  if (fill_node_ports(ports, std::move(taken), objects_.loop().random())) return {};
  return std::unexpected(make_status_error(
      500, "InternalError", "Internal error occurred: failed to allocate a nodePort: range is full"));
}

Result<std::string> Admission::free_address(const std::string& wanted, const json::Value& service) {
  auto services = all_services();
  if (!services) return std::unexpected(services.error());
  std::set<std::string> taken;
  for (const auto& other : *services) taken.insert(other["spec"]["clusterIP"].str());
  const Range range = parse_range(objects_.options().service_range);
  if (!wanted.empty()) {
    if (parse_ipv4(wanted) - range.base >= range.size) {
      const FieldError error{"FieldValueInvalid", "spec.clusterIPs",
                             "Invalid value: []string{\"" + wanted + "\"}: failed to allocate IP " + wanted +
                                 ": the provided IP (" + wanted +
                                 ") is not in the valid range. The range of valid IPs is " +
                                 objects_.options().service_range};
      return std::unexpected(invalid("", "Service", service["metadata"]["name"].str(), {error}));
    }
    if (!taken.contains(wanted)) return wanted;
    const FieldError error{"FieldValueInvalid", "spec.clusterIPs",
                           "Invalid value: []string{\"" + wanted + "\"}: failed to allocate IP " + wanted +
                               ": provided IP is already allocated"};
    return std::unexpected(invalid("", "Service", service["metadata"]["name"].str(), {error}));
  }
  constexpr uint32_t kReserved = 16;  // the first ones are for well-known services
  const uint32_t usable = range.size > 2 * kReserved ? range.size - kReserved - 1 : 0;
  const auto start = usable ? static_cast<uint32_t>(objects_.loop().random().below(usable)) : 0U;
  for (uint32_t step = 0; step < usable; ++step) {
    const std::string candidate = format_ipv4(range.base + kReserved + (start + step) % usable);
    if (!taken.contains(candidate)) return candidate;
  }
  return std::unexpected(make_status_error(
      500, "InternalError",
      "every address of the service range " + objects_.options().service_range + " is taken"));
}

Result<void> Admission::admit_service(const json::Value* before, json::Value& service) {
  SKIFF_RETURN_IF_ERROR(admit_node_ports(before, service));
  json::Value& spec = service.edit("spec");
  if (spec["type"].str() == "ExternalName") return {};
  if (before && spec["clusterIP"].str().empty()) {
    for (const char* field : {"clusterIP", "clusterIPs"}) {
      if (const auto* value = (*before)["spec"].find(field)) spec.set(field, *value);
    }
  }
  std::string address = spec["clusterIP"].str();
  // An address cannot change, which the kind's checks say.
  const bool known = before && !(*before)["spec"]["clusterIP"].str().empty();
  if (address != "None" && !known) {
    auto found = free_address(address, service);
    if (!found) return std::unexpected(found.error());
    address = *found;
  }
  spec.set("clusterIP", address);
  spec.set("clusterIPs", json::Value::array({address}));
  if (spec["ipFamilies"].empty()) spec.set("ipFamilies", json::Value::array({"IPv4"}));
  if (spec["ipFamilyPolicy"].is_null()) spec.set("ipFamilyPolicy", "SingleStack");
  if (!before) service.set("status", json::Value::object({{"loadBalancer", json::Value::object()}}));
  return {};
}

}  // namespace skiff::kube
