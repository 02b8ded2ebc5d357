#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "kube/schema/names.h"
#include "kube/schema/validate.h"

namespace skiff::kube {
namespace {

using json::Value;

constexpr std::string_view kPortRange = "must be between 1 and 65535, inclusive";

bool in_port_range(int64_t port) {
  return port >= 1 && port <= 65535;
}

std::string go_service_port(const Value& port) {
  return fmt::format(
      "core.ServicePort{{Name:\"\", Protocol:{}, AppProtocol:(*string)(nil), Port:{}, "
      "TargetPort:intstr.IntOrString{{Type:0, IntVal:0, StrVal:\"\"}}, NodePort:0}}",
      json::encode(port["protocol"]), port["port"].as_int());
}

void check_target(const Value& target, const std::string& field, Findings& findings) {
  if (target.is_string()) {
    findings.invalid_all(field, target, check_port_name(target.str()));
  } else if (!in_port_range(target.as_int())) {
    findings.invalid(field, target, kPortRange);
  }
}

void check_port(const Value& port, const std::string& at, bool needs_name, std::set<std::string>& names,
                Findings& findings) {
  const auto& name = port["name"].str();
  if (name.empty()) {
    if (needs_name) findings.required(at + ".name");
  } else {
    findings.invalid_all(at + ".name", port["name"], check_dns_label(name));
    if (!names.insert(name).second) findings.duplicate(at + ".name", port["name"]);
  }
  if (!in_port_range(port["port"].as_int())) findings.invalid(at + ".port", port["port"], kPortRange);
  const auto& protocol = port["protocol"].str();
  if (protocol != "TCP" && protocol != "UDP" && protocol != "SCTP") {
    findings.unsupported(at + ".protocol", port["protocol"], {"SCTP", "TCP", "UDP"});
  }
  check_target(port["targetPort"], at + ".targetPort", findings);
}

void check_ports(const Value& spec, Findings& findings) {
  const auto& ports = spec["ports"].items();
  const auto& type = spec["type"].str();
  if (ports.empty() && spec["clusterIP"].str() != "None" && type != "ExternalName")
    findings.required("spec.ports");
  std::set<std::string> names;
  for (size_t i = 0; i < ports.size(); ++i) {
    check_port(ports[i], fmt::format("spec.ports[{}]", i), ports.size() > 1, names, findings);
  }
  std::set<std::pair<std::string, int64_t>> seen, node_ports;
  for (size_t i = 0; i < ports.size(); ++i) {
    auto at = fmt::format("spec.ports[{}]", i);
    if (type == "ClusterIP" && ports[i]["nodePort"].as_int() != 0) {
      findings.forbidden(at + ".nodePort", "may not be used when `type` is 'ClusterIP'");
    } else if (const auto& port = ports[i]["nodePort"];
               port.as_int() != 0 && (port.as_int() < kFirstNodePort || port.as_int() > kLastNodePort)) {
      findings.invalid(
          at + ".nodePort", port,
          fmt::format("provided port is not in the valid range. The range of valid ports is {}-{}",
                      kFirstNodePort, kLastNodePort));
    } else if (port.as_int() != 0 && !node_ports.emplace(ports[i]["protocol"].str(), port.as_int()).second) {
      findings.duplicate(at + ".nodePort", port);
    }
    if (!seen.emplace(ports[i]["protocol"].str(), ports[i]["port"].as_int()).second) {
      findings.duplicate_text(at, go_service_port(ports[i]));
    }
  }
}

void check_type(const Value& spec, Findings& findings) {
  const auto& type = spec["type"].str();
  const std::vector<std::string> types = {"ClusterIP", "ExternalName", "LoadBalancer", "NodePort"};
  if (std::ranges::find(types, type) == types.end()) findings.unsupported("spec.type", spec["type"], types);
  if (type != "ExternalName") return;
  // A dot at the end says that the name is complete.
  std::string_view name = spec["externalName"].str();
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty()) {
    findings.required("spec.externalName");
  } else {
    findings.invalid_all("spec.externalName", spec["externalName"], check_dns_subdomain(name));
  }
}

std::string go_strings(const Value& list) {
  std::string out;
  for (const auto& item : list.items()) out += (out.empty() ? "" : ", ") + json::encode(item);
  return "[]string{" + out + "}";
}

void check_addresses(const Value& spec, Findings& findings) {
  const auto& type = spec["type"].str();
  const auto& address = spec["clusterIP"].str();
  const auto& all = spec["clusterIPs"];
  if (type == "ExternalName") {
    for (const char* field : {"clusterIPs", "ipFamilies", "ipFamilyPolicy"}) {
      const bool set = !spec[field].empty() || (std::string_view(field) == "clusterIPs" && !address.empty());
      if (set) findings.forbidden(fmt::format("spec.{}", field), "may not be set for ExternalName services");
    }
    return;
  }
  if (address == "None" && (type == "NodePort" || type == "LoadBalancer")) {
    findings.invalid("spec.clusterIPs[0]", spec["clusterIP"],
                     fmt::format("may not be set to 'None' for {} services", type));
  }
  if (address.empty() && !all.empty()) {
    findings.invalid_text("spec.clusterIPs", go_strings(all),
                          "must be empty when `clusterIP` is not specified");
  } else if (!all.empty() && all.at(0).str() != address) {
    findings.invalid_text("spec.clusterIPs", go_strings(all), "first value must match `clusterIP`");
  }
}

// Addresses of the machine or of no machine would take its own traffic.
void check_external_addresses(const Value& spec, Findings& findings) {
  const auto& addresses = spec["externalIPs"].items();
  for (size_t i = 0; i < addresses.size(); ++i) {
    findings.invalid_all(fmt::format("spec.externalIPs[{}]", i), addresses[i],
                         check_endpoint_ip(addresses[i].str()));
  }
}

void check_address_change(const Value& spec, const Value& before, Findings& findings) {
  const auto& now = spec["clusterIPs"];
  const auto& was = before["clusterIPs"];
  bool stays = spec["type"].str() != "ExternalName" && before["type"].str() != "ExternalName";
  if (!stays || was.empty() || now.at(0) == was.at(0)) return;
  findings.invalid_text("spec.clusterIPs[0]", fmt::format("[]string{{{}}}", json::encode(now.at(0))),
                        "may not change once set");
}

}  // namespace

void validate_service(const Value& service, const Value* old, Findings& findings) {
  const auto& spec = service["spec"];
  check_ports(spec, findings);
  validate_labels(spec["selector"], "spec.selector", findings);
  const auto& affinity = spec["sessionAffinity"].str();
  if (affinity != "ClientIP" && affinity != "None") {
    findings.unsupported("spec.sessionAffinity", spec["sessionAffinity"], {"ClientIP", "None"});
  }
  check_type(spec, findings);
  check_addresses(spec, findings);
  check_external_addresses(spec, findings);
  const auto& type = spec["type"].str();
  bool external = type == "NodePort" || type == "LoadBalancer" || !spec["externalIPs"].empty();
  if (!external && !spec["externalTrafficPolicy"].empty()) {
    findings.invalid("spec.externalTrafficPolicy", spec["externalTrafficPolicy"],
                     "may only be set for externally-accessible services");
  }
  const auto& address = spec["clusterIP"].str();
  if (!address.empty() && address != "None" && !is_ip(address)) {
    findings.invalid("spec.clusterIPs[0]", spec["clusterIP"],
                     "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
  }
  validate_traffic(service, old, findings);
  if (old != nullptr) check_address_change(spec, (*old)["spec"], findings);
}

}  // namespace skiff::kube
