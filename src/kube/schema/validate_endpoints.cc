// Endpoints and EndpointSlices: addresses that traffic may be sent to, and their ports.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/strings.h"
#include "kube/schema/names.h"
#include "kube/schema/validate.h"

namespace skiff::kube {
namespace {

using json::Value;

constexpr size_t kMostEndpoints = 1000, kMostAddresses = 100, kMostPorts = 20000, kMostHints = 8;
constexpr std::string_view kPortRange = "must be between 1 and 65535, inclusive";

bool in_port_range(int64_t port) {
  return port >= 1 && port <= 65535;
}

// What both kinds ask of a port alike.
void check_protocols(const Value& port, const std::string& at, Findings& findings) {
  const auto& protocol = port["protocol"].str();
  if (protocol.empty()) {
    findings.required(at + ".protocol");
  } else if (protocol != "TCP" && protocol != "UDP" && protocol != "SCTP") {
    findings.unsupported(at + ".protocol", port["protocol"], {"SCTP", "TCP", "UDP"});
  }
  if (port["appProtocol"].is_null()) return;
  findings.invalid_all(at + ".appProtocol", port["appProtocol"],
                       check_qualified_name(port["appProtocol"].str()));
}

void check_address(const Value& address, const std::string& at, Findings& findings) {
  findings.invalid_all(at + ".ip", address["ip"], check_endpoint_ip(address["ip"].str()));
  if (!address["hostname"].empty())
    findings.invalid_all(at + ".hostname", address["hostname"], check_dns_label(address["hostname"].str()));
  if (!address["nodeName"].is_null())
    findings.invalid_all(at + ".nodeName", address["nodeName"],
                         check_dns_subdomain(address["nodeName"].str()));
}

void check_subset_port(const Value& port, bool needs_name, const std::string& at, Findings& findings) {
  if (!port["name"].empty()) {
    findings.invalid_all(at + ".name", port["name"], check_dns_label(port["name"].str()));
  } else if (needs_name) {
    findings.required(at + ".name");
  }
  if (const auto number = port["port"].as_int(); !in_port_range(number))
    findings.invalid(at + ".port", Value(number), kPortRange);
  check_protocols(port, at, findings);
}

void check_subset(const Value& subset, const std::string& at, Findings& findings) {
  if (subset["addresses"].empty() && subset["notReadyAddresses"].empty()) {
    findings.required(at, "must specify `addresses` or `notReadyAddresses`");
  }
  for (const char* list : {"addresses", "notReadyAddresses"}) {
    for (size_t i = 0; i < subset[list].size(); ++i)
      check_address(subset[list].at(i), fmt::format("{}.{}[{}]", at, list, i), findings);
  }
  const auto& ports = subset["ports"];
  for (size_t i = 0; i < ports.size(); ++i)
    check_subset_port(ports.at(i), ports.size() > 1, fmt::format("{}.ports[{}]", at, i), findings);
}

// A whole name of at least two labels; it may end with a dot.
void check_full_name(const Value& address, const std::string& at, Findings& findings) {
  std::string_view name = address.str();
  if (name.empty()) return findings.required(at);
  if (name.ends_with('.')) name.remove_suffix(1);
  if (const auto wrong = check_dns_subdomain(name); !wrong.empty()) {
    findings.invalid(at, Value(std::string(name)), join(wrong, ","));
  } else if (!name.contains('.')) {
    findings.invalid(at, Value(std::string(name)),
                     "should be a domain with at least two segments separated by dots");
  }
}

void check_slice_address(const Value& address, const std::string& type, const std::string& at,
                         Findings& findings) {
  if (type == "FQDN") return check_full_name(address, at, findings);
  const auto& text = address.str();
  const bool fits = type == "IPv6" ? is_ip(text) && !is_ipv4(text) : is_ipv4(text);
  if (!fits) findings.invalid(at, address, fmt::format("must be a valid {} address", type));
  findings.invalid_all(at, address, check_endpoint_ip(text));
}

void check_hints(const Value& hints, const std::string& at, Findings& findings) {
  const auto& zones = hints["forZones"];
  if (zones.size() > kMostHints) return findings.too_many(at + ".forZones", zones.size(), kMostHints);
  std::set<std::string> names;
  for (size_t i = 0; i < zones.size(); ++i) {
    const auto field = fmt::format("{}.forZones[{}].name", at, i);
    const auto& name = zones.at(i)["name"].str();
    if (!names.insert(name).second) findings.duplicate(field, Value(name));
    findings.invalid_all(field, Value(name), check_label_value(name));
  }
}

void check_endpoint(const Value& endpoint, const std::string& type, const std::string& at,
                    Findings& findings) {
  const auto& addresses = endpoint["addresses"];
  const auto field = at + ".addresses";
  if (addresses.empty()) findings.required(field, "must contain at least 1 address");
  if (addresses.size() > kMostAddresses) findings.too_many(field, addresses.size(), kMostAddresses);
  for (size_t i = 0; i < addresses.size(); ++i)
    check_slice_address(addresses.at(i), type, fmt::format("{}[{}]", field, i), findings);
  if (!endpoint["nodeName"].is_null())
    findings.invalid_all(at + ".nodeName", endpoint["nodeName"],
                         check_dns_subdomain(endpoint["nodeName"].str()));
  validate_labels(endpoint["deprecatedTopology"], at + ".deprecatedTopology", findings);
  if (!endpoint["hostname"].is_null())
    findings.invalid_all(at + ".hostname", endpoint["hostname"], check_dns_label(endpoint["hostname"].str()));
  check_hints(endpoint["hints"], at + ".hints", findings);
}

void check_slice_ports(const Value& ports, Findings& findings) {
  if (ports.size() > kMostPorts) return findings.too_many("ports", ports.size(), kMostPorts);
  std::set<std::string> names;
  for (size_t i = 0; i < ports.size(); ++i) {
    const auto at = fmt::format("ports[{}]", i);
    const auto& name = ports.at(i)["name"].str();
    if (!name.empty()) findings.invalid_all(at + ".name", Value(name), check_dns_label(name));
    if (!names.insert(name).second) findings.duplicate(at + ".name", Value(name));
    const auto& number = ports.at(i)["port"];
    if (!number.is_null() && !in_port_range(number.as_int()))
      findings.invalid(at + ".port", number, kPortRange);
    check_protocols(ports.at(i), at, findings);
  }
}

}  // namespace

void validate_endpoints(const Value& endpoints, const Value* old, Findings& findings) {
  const auto& subsets = endpoints["subsets"];
  if (old != nullptr && (*old)["subsets"] == subsets) return;
  for (size_t i = 0; i < subsets.size(); ++i)
    check_subset(subsets.at(i), fmt::format("subsets[{}]", i), findings);
}

void validate_endpoint_slice(const Value& slice, const Value* old, Findings& findings) {
  const auto& type = slice["addressType"].str();
  if (type.empty()) {
    findings.required("addressType");
  } else if (type != "IPv4" && type != "IPv6" && type != "FQDN") {
    findings.unsupported("addressType", slice["addressType"], {"FQDN", "IPv4", "IPv6"});
  }
  const auto& endpoints = slice["endpoints"];
  // What is stored may stand: earlier rules allowed more.
  const bool as_before = old != nullptr && (*old)["endpoints"] == endpoints;
  if (endpoints.size() > kMostEndpoints) {
    findings.too_many("endpoints", endpoints.size(), kMostEndpoints);
  } else if (!as_before) {
    for (size_t i = 0; i < endpoints.size(); ++i)
      check_endpoint(endpoints.at(i), type, fmt::format("endpoints[{}]", i), findings);
  }
  check_slice_ports(slice["ports"], findings);
  if (old != nullptr && (*old)["addressType"] != slice["addressType"]) {
    findings.invalid("addressType", slice["addressType"], "field is immutable");
  }
}

}  // namespace skiff::kube
