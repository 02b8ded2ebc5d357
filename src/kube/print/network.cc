#include <fmt/core.h>

#include <array>

#include "base/strings.h"
#include "kube/print/cells.h"
#include "kube/print/printers.h"

namespace skiff::kube {

namespace {

constexpr std::array kService = std::to_array<Column>({{"Name", "string", "name"},
                                                       {"Type"},
                                                       {"Cluster-IP"},
                                                       {"External-IP"},
                                                       {"Port(s)"},
                                                       {"Age"},
                                                       {"Selector", "string", "", 1}});
constexpr std::array kEndpoints = std::to_array<Column>({{"Name", "string", "name"}, {"Endpoints"}, {"Age"}});
constexpr std::array kSlice =
    std::to_array<Column>({{"Name", "string", "name"}, {"AddressType"}, {"Ports"}, {"Endpoints"}, {"Age"}});
constexpr std::array kIngress = std::to_array<Column>(
    {{"Name", "string", "name"}, {"Class"}, {"Hosts"}, {"Address"}, {"Ports"}, {"Age"}});
constexpr std::array kIngressClass =
    std::to_array<Column>({{"Name", "string", "name"}, {"Controller"}, {"Parameters"}, {"Age"}});

std::vector<std::string> load_balancer_addresses(const json::Value& object) {
  std::vector<std::string> result;
  for (const auto& one : object["status"]["loadBalancer"]["ingress"].items()) {
    result.push_back(one["ip"].str().empty() ? one["hostname"].str() : one["ip"].str());
  }
  return result;
}

std::string external_address(const json::Value& service) {
  const std::string& type = service["spec"]["type"].str();
  if (type == "ExternalName") return service["spec"]["externalName"].str();
  std::vector<std::string> addresses;
  if (type == "LoadBalancer") addresses = load_balancer_addresses(service);
  for (const auto& one : service["spec"]["externalIPs"].items()) addresses.push_back(one.str());
  if (addresses.empty()) return type == "LoadBalancer" ? "<pending>" : "<none>";
  return join(addresses, ",");
}

std::string ports_of(const json::Value& service) {
  std::vector<std::string> pieces;
  for (const auto& port : service["spec"]["ports"].items()) {
    std::string text = std::to_string(port["port"].as_int());
    if (port["nodePort"].as_int() > 0) text += fmt::format(":{}", port["nodePort"].as_int());
    pieces.push_back(text + "/" + port["protocol"].str());
  }
  return or_none(join(pieces, ","));
}

json::Array service_cells(const json::Value& object, WallTime now) {
  const auto& spec = object["spec"];
  return {name_of(object),
          spec["type"],
          or_none(spec["clusterIPs"].at(0).str_or(spec["clusterIP"].str())),
          external_address(object),
          ports_of(object),
          age_of(object, now),
          labels_text(spec["selector"])};
}

std::string host_and_port(const std::string& host, int64_t port) {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                             : fmt::format("[{}]:{}", host, port);
}

json::Array endpoints_cells(const json::Value& object, WallTime now) {
  std::vector<std::string> all;
  for (const auto& subset : object["subsets"].items()) {
    if (subset["ports"].empty()) {
      for (const auto& ip : texts_of(subset["addresses"], "ip")) all.push_back(ip);
    }
    for (const auto& port : subset["ports"].items()) {
      for (const auto& ip : texts_of(subset["addresses"], "ip")) {
        all.push_back(host_and_port(ip, port["port"].as_int()));
      }
    }
  }
  return {name_of(object), or_none(first_three(all)), age_of(object, now)};
}

json::Array slice_cells(const json::Value& object, WallTime now) {
  std::vector<std::string> ports, addresses;
  for (const auto& port : object["ports"].items()) {
    ports.push_back(port["port"].is_int() ? std::to_string(port["port"].as_int()) : "*");
  }
  for (const auto& endpoint : object["endpoints"].items()) {
    for (const auto& address : endpoint["addresses"].items()) addresses.push_back(address.str());
  }
  return {name_of(object), object["addressType"], ports.empty() ? "<unset>" : first_three(ports),
          addresses.empty() ? "<unset>" : first_three(addresses), age_of(object, now)};
}

json::Array ingress_cells(const json::Value& object, WallTime now) {
  const auto& spec = object["spec"];
  std::vector<std::string> hosts;
  for (const auto& rule : spec["rules"].items()) {
    if (!rule["host"].str().empty()) hosts.push_back(rule["host"].str());
  }
  const std::string& legacy = object["metadata"]["annotations"]["kubernetes.io/ingress.class"].str();
  return {name_of(object),
          or_none(spec["ingressClassName"].str_or(legacy)),
          hosts.empty() ? "*" : first_three(hosts),
          join(load_balancer_addresses(object), ","),
          spec["tls"].empty() ? "80" : "80, 443",
          age_of(object, now)};
}

json::Array ingress_class_cells(const json::Value& object, WallTime now) {
  const auto& parameters = object["spec"]["parameters"];
  std::string text = "<none>";
  if (parameters.is_object()) {
    text = parameters["kind"].str();
    if (!parameters["apiGroup"].str().empty()) text += "." + parameters["apiGroup"].str();
    text += "/" + parameters["name"].str();
  }
  return {name_of(object), object["spec"]["controller"], text, age_of(object, now)};
}

constexpr std::array kPrinters =
    std::to_array<Printer>({{"", "Service", kService, service_cells},
                            {"", "Endpoints", kEndpoints, endpoints_cells},
                            {"discovery.k8s.io", "EndpointSlice", kSlice, slice_cells},
                            {"networking.k8s.io", "Ingress", kIngress, ingress_cells},
                            {"networking.k8s.io", "IngressClass", kIngressClass, ingress_class_cells}});

}  // namespace

std::span<const Printer> network_printers() {
  return kPrinters;
}

}  // namespace skiff::kube
