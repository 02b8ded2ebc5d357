#include <algorithm>

#include <fmt/format.h>

#include "kube/schema/names.h"
#include "kube/schema/validate.h"

namespace skiff::kube {
namespace {

using json::Value;

void check_backend(const Value& backend, const std::string& field, Findings& findings) {
  const auto& service = backend["service"];
  if (service.is_null() && backend["resource"].is_null()) {
    findings.required(field, "port name or number is required");
    return;
  }
  if (!service.is_object()) return;
  if (service["name"].empty()) {
    findings.required(field + ".service.name");
  } else {
    findings.invalid_all(field + ".service.name", service["name"],
                         check_dns_1035_label(service["name"].str()));
  }
  bool named = !service["port"]["name"].empty();
  auto number = service["port"]["number"].as_int();
  if (named && number != 0) {
    findings.invalid(field, Value(""), "cannot set both port name & port number");
  } else if (named) {
    findings.invalid_all(field + ".service.port.name", service["port"]["name"],
                         check_port_name(service["port"]["name"].str()));
  } else if (number == 0) {
    findings.required(field, "port name or number is required");
  } else if (number < 1 || number > 65535) {
    findings.invalid(field + ".service.port.number", service["port"]["number"],
                     "must be between 1 and 65535, inclusive");
  }
}

void check_path(const Value& path, const std::string& at, Findings& findings) {
  const auto& type = path["pathType"].str();
  if (type.empty()) {
    findings.required(at + ".pathType", "pathType must be specified");
  } else if (type == "Exact" || type == "Prefix") {
    if (!path["path"].str().starts_with('/')) {
      findings.invalid(at + ".path", Value(path["path"].str()), "must be an absolute path");
    }
  } else if (type != "ImplementationSpecific") {
    findings.unsupported(at + ".pathType", path["pathType"], {"Exact", "ImplementationSpecific", "Prefix"});
  }
  check_backend(path["backend"], at + ".backend", findings);
}

void check_host(const Value& host, const std::string& field, Findings& findings) {
  const auto& name = host.str();
  if (name.empty()) return;
  if (is_ip(name)) findings.invalid(field, host, "must be a DNS name, not an IP address");
  // "*.example.com" stands for every name below.
  findings.invalid_all(field, host, check_dns_subdomain(name.starts_with("*.") ? name.substr(2) : name));
}

}  // namespace

void validate_ingress(const Value& ingress, const Value*, Findings& findings) {
  const auto& spec = ingress["spec"];
  if (spec["rules"].empty() && spec["defaultBackend"].is_null()) {
    findings.invalid_text("spec", "[]networking.IngressRule(nil)",
                          "either `defaultBackend` or `rules` must be specified");
  }
  if (!spec["defaultBackend"].is_null())
    check_backend(spec["defaultBackend"], "spec.defaultBackend", findings);
  const auto& rules = spec["rules"].items();
  for (size_t i = 0; i < rules.size(); ++i) {
    auto at = fmt::format("spec.rules[{}]", i);
    check_host(rules[i]["host"], at + ".host", findings);
    const auto& http = rules[i]["http"];
    if (http.is_object() && http["paths"].empty()) findings.required(at + ".http.paths");
    for (size_t j = 0; j < http["paths"].size(); ++j) {
      check_path(http["paths"].at(j), fmt::format("{}.http.paths[{}]", at, j), findings);
    }
  }
}

void validate_endpoints(const Value& endpoints, const Value* old, Findings& findings) {
  const auto& subsets = endpoints["subsets"];
  if (old != nullptr && (*old)["subsets"] == subsets) return;
  for (size_t i = 0; i < subsets.size(); ++i) {
    const auto& subset = subsets.at(i);
    const auto at = fmt::format("subsets[{}]", i);
    if (subset["addresses"].empty() && subset["notReadyAddresses"].empty()) {
      findings.required(at, "must specify `addresses` or `notReadyAddresses`");
    }
    for (const char* list : {"addresses", "notReadyAddresses"}) {
      for (size_t j = 0; j < subset[list].size(); ++j) {
        const auto& ip = subset[list].at(j)["ip"];
        findings.invalid_all(fmt::format("{}.{}[{}].ip", at, list, j), ip, check_endpoint_ip(ip.str()));
      }
    }
  }
}

void validate_endpoint_slice(const Value& slice, const Value* old, Findings& findings) {
  const auto& type = slice["addressType"].str();
  if (type.empty()) {
    findings.required("addressType");
  } else if (type != "IPv4" && type != "IPv6" && type != "FQDN") {
    findings.unsupported("addressType", slice["addressType"], {"FQDN", "IPv4", "IPv6"});
  }
  const auto& endpoints = slice["endpoints"].items();
  for (size_t i = 0; i < endpoints.size(); ++i) {
    const auto& addresses = endpoints[i]["addresses"];
    auto field = fmt::format("endpoints[{}].addresses", i);
    if (addresses.empty()) findings.required(field, "must contain at least 1 address");
    for (size_t j = 0; j < addresses.size(); ++j) {
      auto at = fmt::format("{}[{}]", field, j);
      const auto& address = addresses.at(j);
      if (type == "FQDN") continue;
      bool fits = type == "IPv6" ? is_ip(address.str()) && !is_ipv4(address.str()) : is_ipv4(address.str());
      if (!fits) findings.invalid(at, address, fmt::format("must be a valid {} address", type));
      findings.invalid_all(at, address, check_endpoint_ip(address.str()));
    }
  }
  if (old != nullptr && (*old)["addressType"] != slice["addressType"]) {
    findings.invalid("addressType", slice["addressType"], "field is immutable");
  }
}

}  // namespace skiff::kube
