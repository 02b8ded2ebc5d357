#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "base/strings.h"
#include "kube/schema/names.h"
#include "kube/schema/validate.h"

namespace skiff::kube {
namespace {

using json::Value;

constexpr size_t kMostControllerBytes = 250;
constexpr const char* kClassAnnotation = "kubernetes.io/ingress.class";

bool is_path_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || std::string_view("/-._~%!$&'()*+,;=:").contains(c);
}

void check_controller(const std::string& controller, Findings& findings) {
  const std::string field = "spec.controller";
  if (controller.size() > kMostControllerBytes) findings.too_long(field, kMostControllerBytes);
  if (controller.empty()) return findings.required(field);
  const auto [domain, path, found] = split_once(controller, "/");
  if (domain.empty() || path.empty()) {
    return findings.invalid(field, Value(controller),
                            "must be a domain-prefixed path (such as \"acme.io/foo\")");
  }
  findings.invalid_all(field, Value(std::string(domain)), check_dns_subdomain(domain));
  if (std::ranges::all_of(path, is_path_character)) return;
  findings.invalid(field, Value(std::string(path)),
                   "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')");
}

// An object of any kind, by name.
void check_reference(const Value& reference, const std::string& field, Findings& findings) {
  if (const auto& group = reference["apiGroup"]; !group.is_null())
    findings.invalid_all(field + ".apiGroup", group, check_dns_subdomain(group.str()));
  for (const char* name : {"kind", "name"}) {
    const auto at = fmt::format("{}.{}", field, name);
    if (reference[name].empty()) {
      findings.required(at);
    } else {
      findings.invalid_all(at, reference[name], check_path_segment(reference[name].str()));
    }
  }
}

void check_backend(const Value& backend, const std::string& field, Findings& findings) {
  const auto& service = backend["service"];
  if (service.is_null() && backend["resource"].is_null()) {
    findings.required(field, "port name or number is required");
    return;
  }
  if (!backend["resource"].is_null()) {
    if (!service.is_null())
      return findings.invalid(field, Value(""), "cannot set both resource and service backends");
    return check_reference(backend["resource"], field + ".resource", findings);
  }
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

void check_hosts_of_secrets(const Value& tls, const Value* before, Findings& findings) {
  for (size_t i = 0; i < tls.size(); ++i) {
    const auto at = fmt::format("spec.tls[{}]", i);
    const auto& hosts = tls.at(i)["hosts"];
    for (size_t j = 0; j < hosts.size(); ++j) {
      const auto& name = hosts.at(j).str();
      findings.invalid_all(fmt::format("{}.hosts[{}]", at, j), hosts.at(j),
                           check_dns_subdomain(name.starts_with("*.") ? name.substr(2) : name));
    }
    // Names that were stored before they were checked may stay.
    const auto& secret = tls.at(i)["secretName"];
    const bool as_before = before != nullptr && (*before)["tls"] == tls;
    if (!secret.empty() && !as_before)
      findings.invalid_all(at + ".secretName", secret, check_dns_subdomain(secret.str()));
  }
}

void check_class(const Value& ingress, const Value* old, Findings& findings) {
  const auto& name = ingress["spec"]["ingressClassName"];
  if (name.is_null()) return;
  findings.invalid_all("spec.ingressClassName", name, check_dns_subdomain(name.str()));
  const auto& annotation = ingress["metadata"]["annotations"][kClassAnnotation];
  if (old == nullptr && !annotation.is_null() && annotation != name) {
    findings.invalid(std::string("annotations.") + kClassAnnotation, annotation,
                     "must match `ingressClassName` when both are specified");
  }
}

}  // namespace

void validate_ingress(const Value& ingress, const Value* old, Findings& findings) {
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
  check_hosts_of_secrets(spec["tls"], old == nullptr ? nullptr : &(*old)["spec"], findings);
  check_class(ingress, old, findings);
}

// Controllers are named like paths below a domain: "example.com/controller".
void validate_ingress_class(const Value& ingress_class, const Value* old, Findings& findings) {
  const auto& spec = ingress_class["spec"];
  if (old != nullptr && (*old)["spec"]["controller"] != spec["controller"])
    findings.invalid("spec.controller", spec["controller"], "field is immutable");
  check_controller(spec["controller"].str(), findings);
  const auto& parameters = spec["parameters"];
  if (parameters.is_null()) return;
  check_reference(parameters, "spec.parameters", findings);
  const auto& scope = parameters["scope"].str();
  if (scope != "Cluster" && scope != "Namespace") {
    findings.unsupported("spec.parameters.scope", parameters["scope"], {"Cluster", "Namespace"});
  } else if (scope == "Cluster" && !parameters["namespace"].is_null()) {
    findings.forbidden("spec.parameters.namespace", "`parameters.scope` is set to 'Cluster'");
  } else if (scope == "Namespace" && parameters["namespace"].is_null()) {
    findings.required("spec.parameters.namespace", "`parameters.scope` is set to 'Namespace'");
  } else if (scope == "Namespace") {
    findings.invalid_all("spec.parameters.namespace", parameters["namespace"],
                         check_dns_label(parameters["namespace"].str()));
  }
}

}  // namespace skiff::kube
