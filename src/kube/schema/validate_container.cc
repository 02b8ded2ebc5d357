#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "base/strings.h"
#include "kube/schema/names.h"
#include "kube/schema/quantity.h"
#include "kube/schema/validate.h"

namespace skiff::kube {
namespace {

using json::Value;

constexpr std::string_view kPortRange = "must be between 1 and 65535, inclusive";

bool in_port_range(int64_t port) {
  return port >= 1 && port <= 65535;
}

void check_ports(const Value& container, const std::string& field, bool on_host, Findings& findings) {
  std::set<std::string> names;
  size_t index = 0;
  for (const auto& port : container["ports"].items()) {
    auto at = fmt::format("{}.ports[{}]", field, index++);
    if (const auto& name = port["name"].str(); !name.empty()) {
      auto details = check_port_name(name);
      findings.invalid_all(at + ".name", port["name"], details);
      if (details.empty() && !names.insert(name).second) findings.duplicate(at + ".name", port["name"]);
    }
    auto number = port["containerPort"].as_int();
    if (number == 0) {
      findings.required(at + ".containerPort");
    } else if (!in_port_range(number)) {
      findings.invalid(at + ".containerPort", port["containerPort"], kPortRange);
    }
    auto host = port["hostPort"].as_int();
    if (host != 0 && !in_port_range(host)) findings.invalid(at + ".hostPort", port["hostPort"], kPortRange);
    const auto& protocol = port["protocol"].str();
    if (protocol != "TCP" && protocol != "UDP" && protocol != "SCTP") {
      findings.unsupported(at + ".protocol", port["protocol"], {"SCTP", "TCP", "UDP"});
    }
    if (on_host && host != number) {
      findings.invalid(at + ".hostPort", port["hostPort"],
                       "must match `containerPort` when `hostNetwork` is true");
    }
  }
}

bool is_env_name(std::string_view name) {
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

void check_env(const Value& container, const std::string& field, Findings& findings) {
  size_t index = 0;
  for (const auto& env : container["env"].items()) {
    auto at = fmt::format("{}.env[{}]", field, index++);
    if (env["name"].empty()) {
      findings.required(at + ".name");
    } else if (!is_env_name(env["name"].str())) {
      findings.invalid(
          at + ".name", env["name"],
          "a valid environment variable name must consist only of printable ASCII characters other than "
          "'='");
    }
    const auto& source = env["valueFrom"];
    if (source.is_null()) continue;
    if (!env["value"].empty()) {
      findings.invalid(at + ".valueFrom", Value(""), "may not be specified when `value` is not empty");
    }
    const auto& ref = source["fieldRef"];
    if (ref.is_object() && !is_pod_field(ref["fieldPath"].str())) {
      findings.invalid(
          at + ".valueFrom.fieldRef.fieldPath", ref["fieldPath"],
          fmt::format("error converting fieldPath: field label not supported: {}", ref["fieldPath"].str()));
    }
    for (auto name : {"configMapKeyRef", "secretKeyRef"}) {
      if (!source[name].is_object()) continue;
      if (source[name]["name"].empty()) findings.required(fmt::format("{}.valueFrom.{}.name", at, name));
      if (source[name]["key"].empty()) findings.required(fmt::format("{}.valueFrom.{}.key", at, name));
    }
  }
}

void check_mounts(const Value& container, const std::string& field, const std::set<std::string>& volumes,
                  Findings& findings) {
  std::set<std::string> paths;
  size_t index = 0;
  for (const auto& mount : container["volumeMounts"].items()) {
    auto at = fmt::format("{}.volumeMounts[{}]", field, index++);
    const auto& name = mount["name"].str();
    if (name.empty()) {
      findings.required(at + ".name");
    } else if (!volumes.contains(name)) {
      findings.not_found(at + ".name", mount["name"]);
    }
    if (mount["mountPath"].empty()) findings.required(at + ".mountPath");
    if (!paths.insert(mount["mountPath"].str()).second) {
      findings.invalid(at + ".mountPath", mount["mountPath"], "must be unique");
    }
    if (!mount["subPath"].empty()) validate_descending_path(mount["subPath"], at + ".subPath", findings);
    if (mount["subPathExpr"].empty()) continue;
    if (!mount["subPath"].empty()) {
      findings.invalid(at + ".subPathExpr", mount["subPathExpr"],
                       "subPathExpr and subPath are mutually exclusive");
    }
    validate_descending_path(mount["subPathExpr"], at + ".subPathExpr", findings);
  }
}

void check_probe(const Value& probe, const std::string& field, bool only_one_success, Findings& findings) {
  if (!probe.is_object()) return;
  int handlers = 0;
  for (auto name : {"exec", "httpGet", "tcpSocket", "grpc"}) {
    if (!probe[name].is_object() || ++handlers == 1) continue;
    findings.forbidden(fmt::format("{}.{}", field, name), "may not specify more than 1 handler type");
  }
  if (handlers == 0) findings.required(field, "must specify a handler type");
  for (auto name :
       {"initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"}) {
    findings.at_least(fmt::format("{}.{}", field, name), probe[name], 0);
  }
  if (only_one_success && probe["successThreshold"].as_int(1) != 1) {
    findings.invalid(field + ".successThreshold", probe["successThreshold"], "must be 1");
  }
}

void check_lifecycle(const Value& lifecycle, const std::string& field, Findings& findings) {
  for (auto name : {"postStart", "preStop"}) {
    const auto& hook = lifecycle[name];
    if (!hook.is_object()) continue;
    bool any = false;
    for (auto handler : {"exec", "httpGet", "tcpSocket", "sleep"}) any = any || hook[handler].is_object();
    if (!any) findings.required(fmt::format("{}.lifecycle.{}", field, name), "must specify a handler type");
  }
}

bool is_container_resource(std::string_view name) {
  return name == "cpu" || name == "memory" || name == "ephemeral-storage" || name.starts_with("hugepages-") ||
         name.contains('/');
}

// Go's print of a quantity that has a fraction.
std::string go_quantity(const Quantity& quantity) {
  auto value = static_cast<long long>(quantity.nano);
  int scale = -9;
  while (value != 0 && value % 10 == 0 && scale < 0) {
    value /= 10;
    ++scale;
  }
  return fmt::format(
      "resource.Quantity{{i:resource.int64Amount{{value:{}, scale:{}}}, "
      "d:resource.infDecAmount{{Dec:(*inf.Dec)(nil)}}, s:\"\", Format:\"DecimalSI\"}}",
      value, scale);
}

void check_resource_list(const Value& list, const std::string& field, Findings& findings) {
  for (const auto& [name, value] : list.members()) {
    auto at = fmt::format("{}[{}]", field, name);
    if (!is_container_resource(name)) {
      findings.invalid_text(at, name, "must be a standard resource type or fully qualified");
      findings.invalid_text(at, name, "must be a standard resource for containers");
    }
    auto quantity = parse_quantity(value.str());
    if (!quantity) continue;
    if (quantity->nano < 0) findings.invalid(at, value, "must be greater than or equal to 0");
    if (name.contains('/') && quantity->nano % 1'000'000'000 != 0) {
      findings.invalid_text(at, go_quantity(*quantity), "must be an integer");
    }
  }
}

void check_resources(const Value& resources, const std::string& field, Findings& findings) {
  check_resource_list(resources["limits"], field + ".limits", findings);
  check_resource_list(resources["requests"], field + ".requests", findings);
  for (const auto& [name, value] : resources["requests"].members()) {
    auto request = parse_quantity(value.str());
    auto limit = parse_quantity(resources["limits"][name].str());
    if (request && limit && request->nano > limit->nano) {
      findings.invalid(
          field + ".requests", value,
          fmt::format("must be less than or equal to {} limit of {}", name, resources["limits"][name].str()));
    }
  }
}

void check_image(const Value& container, const std::string& field, Findings& findings) {
  const auto& image = container["image"].str();
  if (image.empty()) {
    findings.required(field + ".image");
  } else if (trim(image) != image) {
    findings.invalid(field + ".image", container["image"], "must not have leading or trailing whitespace");
  }
  const auto& policy = container["imagePullPolicy"].str();
  if (policy != "Always" && policy != "IfNotPresent" && policy != "Never") {
    findings.unsupported(field + ".imagePullPolicy", container["imagePullPolicy"],
                         {"Always", "IfNotPresent", "Never"});
  }
}

void check_probes(const Value& container, const std::string& field, ContainerKind which, Findings& findings) {
  bool sidecar = container["restartPolicy"].str() == "Always";
  for (auto name : {"livenessProbe", "readinessProbe", "startupProbe"}) {
    auto at = fmt::format("{}.{}", field, name);
    if (which == ContainerKind::kInit && !sidecar) {
      if (container[name].is_object()) {
        findings.forbidden(at, "may not be set for init containers without restartPolicy=Always");
      }
      continue;
    }
    check_probe(container[name], at, std::string_view(name) != "readinessProbe", findings);
  }
  if (which == ContainerKind::kInit && !sidecar && container["lifecycle"].is_object()) {
    findings.forbidden(field + ".lifecycle",
                       "may not be set for init containers without restartPolicy=Always");
    return;
  }
  check_lifecycle(container["lifecycle"], field, findings);
}

}  // namespace

void validate_containers(const Value& spec, const std::string& field, ContainerKind which,
                         Findings& findings) {
  const std::string list = which == ContainerKind::kMain ? "containers" : "initContainers";
  std::set<std::string> names;
  if (which == ContainerKind::kInit) {
    for (const auto& container : spec["containers"].items()) names.insert(container["name"].str());
  }
  std::set<std::string> volumes;
  for (const auto& volume : spec["volumes"].items()) volumes.insert(volume["name"].str());
  size_t index = 0;
  for (const auto& container : spec[list].items()) {
    auto at = fmt::format("{}.{}[{}]", field, list, index++);
    const auto& name = container["name"].str();
    if (name.empty()) {
      findings.required(at + ".name");
    } else {
      findings.invalid_all(at + ".name", container["name"], check_dns_label(name));
      if (!names.insert(name).second) findings.duplicate(at + ".name", container["name"]);
    }
    check_image(container, at, findings);
    check_probes(container, at, which, findings);
    check_ports(container, at, spec["hostNetwork"].as_bool(), findings);
    check_env(container, at, findings);
    check_mounts(container, at, volumes, findings);
    check_resources(container["resources"], at + ".resources", findings);
  }
}

}  // namespace skiff::kube
