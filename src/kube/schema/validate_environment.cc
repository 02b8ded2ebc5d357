// Environment variables of containers, and what they are taken from.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "kube/schema/names.h"
#include "kube/schema/validate.h"

namespace skiff::kube {
namespace {

using json::Value;

constexpr std::string_view kNameRule =
    "a valid environment variable name must consist only of printable ASCII characters other than '='";

bool is_name(std::string_view name) {
  return std::ranges::all_of(name, [](char c) { return c >= ' ' && c <= '~' && c != '='; });
}

// The fields of a pod that its containers may refer to.
bool is_pod_field(std::string_view path) {
  for (std::string_view prefix : {"metadata.annotations['", "metadata.labels['"}) {
    if (path.starts_with(prefix) && path.ends_with("']")) return true;
  }
  constexpr auto kPaths = std::to_array<std::string_view>(
      {"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
       "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"});
  return std::ranges::find(kPaths, path) != kPaths.end();
}

void check_field(const Value& ref, const std::string& at, Findings& findings) {
  const auto& path = ref["fieldPath"];
  if (is_pod_field(path.str())) return;
  findings.invalid(at + ".fieldRef.fieldPath", path,
                   fmt::format("error converting fieldPath: field label not supported: {}", path.str()));
}

void check_source(const Value& variable, const std::string& at, Findings& findings) {
  const auto& source = variable["valueFrom"];
  if (source.is_null()) return;
  size_t sources = 0;
  if (source["fieldRef"].is_object()) {
    ++sources;
    check_field(source["fieldRef"], at, findings);
  }
  if (source["resourceFieldRef"].is_object()) {
    ++sources;
    validate_resource_field(source["resourceFieldRef"], at + ".resourceFieldRef", findings);
  }
  for (auto name : {"configMapKeyRef", "secretKeyRef"}) {
    if (!source[name].is_object()) continue;
    ++sources;
    if (source[name]["name"].empty()) findings.required(fmt::format("{}.{}.name", at, name));
    if (source[name]["key"].empty()) findings.required(fmt::format("{}.{}.key", at, name));
  }
  if (sources == 0) {
    findings.invalid(
        at, Value(""),
        "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`");
  } else if (!variable["value"].empty()) {
    findings.invalid(at, Value(""), "may not be specified when `value` is not empty");
  } else if (sources > 1) {
    findings.invalid(at, Value(""), "may not have more than one field specified at a time");
  }
}

// Whole ConfigMaps and Secrets.
void check_whole(const Value& source, const std::string& list, size_t index, Findings& findings) {
  const auto at = fmt::format("{}[{}]", list, index);
  if (!is_name(source["prefix"].str())) findings.invalid(at + ".prefix", source["prefix"], kNameRule);
  size_t sources = 0;
  for (const char* kind : {"configMapRef", "secretRef"}) {
    if (!source[kind].is_object()) continue;
    ++sources;
    const auto field = fmt::format("{}.{}.name", at, kind);
    const auto& name = source[kind]["name"];
    if (name.empty()) {
      findings.required(field);
    } else {
      findings.invalid_all(field, name, check_dns_subdomain(name.str()));
    }
  }
  if (sources == 0) {
    findings.invalid(list, Value(""), "must specify one of: `configMapRef` or `secretRef`");
  } else if (sources > 1) {
    findings.invalid(list, Value(""), "may not have more than one field specified at a time");
  }
}

}  // namespace

void validate_resource_field(const Value& reference, const std::string& field, Findings& findings) {
  const std::vector<std::string> known = {"limits.cpu",   "limits.ephemeral-storage",   "limits.memory",
                                          "requests.cpu", "requests.ephemeral-storage", "requests.memory"};
  const auto& resource = reference["resource"].str();
  if (resource.empty()) return findings.required(field + ".resource");
  const bool pages = resource.starts_with("limits.hugepages-") || resource.starts_with("requests.hugepages-");
  if (!pages && std::ranges::find(known, resource) == known.end())
    findings.unsupported(field + ".resource", reference["resource"], known);
}

void validate_environment(const Value& container, const std::string& field, Findings& findings) {
  const auto& variables = container["env"];
  for (size_t i = 0; i < variables.size(); ++i) {
    const auto at = fmt::format("{}.env[{}]", field, i);
    const auto& name = variables.at(i)["name"];
    if (name.empty()) {
      findings.required(at + ".name");
    } else if (!is_name(name.str())) {
      findings.invalid(at + ".name", name, kNameRule);
    }
    check_source(variables.at(i), at + ".valueFrom", findings);
  }
  const auto& whole = container["envFrom"];
  for (size_t i = 0; i < whole.size(); ++i) check_whole(whole.at(i), field + ".envFrom", i, findings);
}

}  // namespace skiff::kube
