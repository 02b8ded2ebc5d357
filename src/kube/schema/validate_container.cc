#include <algorithm>
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
    // A pod always has a host port by its defaults; a template may leave it out.
    if (on_host && host != 0 && host != number) {
      findings.invalid(at + ".hostPort", port["hostPort"],
                       "must match `containerPort` when `hostNetwork` is true");
    }
  }
}

// How a mount shares the mounts below it.
void check_sharing(const Value& mount, bool privileged, const std::string& at, Findings& findings) {
  const auto& propagation = mount["mountPropagation"];
  check_choice(propagation, at + ".mountPropagation", {"Bidirectional", "HostToContainer", "None"}, findings);
  if (propagation.str() == "Bidirectional" && !privileged) {
    findings.forbidden(at + ".mountPropagation",
                       "Bidirectional mount propagation is available only to privileged containers");
  }
  const auto& recursive = mount["recursiveReadOnly"];
  const auto field = at + ".recursiveReadOnly";
  check_choice(recursive, field, {"Disabled", "Enabled", "IfPossible"}, findings);
  if (recursive.str() != "Enabled" && recursive.str() != "IfPossible") return;
  if (!mount["readOnly"].as_bool()) findings.forbidden(field, "may only be specified when readOnly is true");
  if (!propagation.is_null() && propagation.str() != "None")
    findings.forbidden(field, "may only be specified when mountPropagation is None or not specified");
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
    check_sharing(mount, container["securityContext"]["privileged"].as_bool(), at, findings);
    if (!mount["subPath"].empty()) validate_descending_path(mount["subPath"], at + ".subPath", findings);
    if (mount["subPathExpr"].empty()) continue;
    if (!mount["subPath"].empty()) {
      findings.invalid(at + ".subPathExpr", mount["subPathExpr"],
                       "subPathExpr and subPath are mutually exclusive");
    }
    validate_descending_path(mount["subPathExpr"], at + ".subPathExpr", findings);
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

bool is_pages(std::string_view name) {
  return name.starts_with("hugepages-");
}

// Devices and huge pages are given whole: what is asked for is also the limit.
bool is_exact(std::string_view name) {
  return is_pages(name) || (name.contains('/') && !name.contains("kubernetes.io/"));
}

void check_pages(const Value& resources, const std::string& field, Findings& findings) {
  bool pages = false, others = false;
  for (const char* list : {"limits", "requests"}) {
    for (const auto& [name, value] : resources[list].members()) {
      pages = pages || is_pages(name);
      others = others || name == "cpu" || name == "memory";
    }
  }
  if (pages && !others) findings.forbidden(field, "HugePages require cpu or memory");
}

void check_resources(const Value& resources, const std::string& field, Findings& findings) {
  check_resource_list(resources["limits"], field + ".limits", findings);
  check_resource_list(resources["requests"], field + ".requests", findings);
  check_pages(resources, field, findings);
  for (const auto& [name, value] : resources["requests"].members()) {
    auto request = parse_quantity(value.str());
    auto limit = parse_quantity(resources["limits"][name].str());
    if (is_exact(name) && resources["limits"][name].is_null()) {
      findings.required(field + ".limits", "Limit must be set for non overcommitable resources");
    } else if (is_exact(name) && request && limit && request->nano != limit->nano) {
      findings.invalid(field + ".requests", value,
                       fmt::format("must be equal to {} limit of {}", name, resources["limits"][name].str()));
      continue;
    }
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

void check_restarts(const Value& container, const std::string& field, ContainerKind which,
                    Findings& findings) {
  const auto& policy = container["restartPolicy"];
  if (policy.is_null()) return;
  if (which == ContainerKind::kMain) {
    findings.forbidden(field + ".restartPolicy", "may not be set for non-init containers");
  } else {
    check_choice(policy, field + ".restartPolicy", {"Always"}, findings);
  }
}

// A port of the host belongs to one container; init containers run one after another.
void check_host_ports(const Value& container, const std::string& field, std::set<std::string>& taken,
                      Findings& findings) {
  const auto& ports = container["ports"];
  for (size_t i = 0; i < ports.size(); ++i) {
    const auto& port = ports.at(i);
    const auto number = port["hostPort"].as_int();
    auto key = fmt::format("{}/{}/{}", port["protocol"].str(), port["hostIP"].str(), number);
    if (number != 0 && !taken.insert(key).second)
      findings.duplicate(fmt::format("{}.ports[{}].hostPort", field, i), Value(std::move(key)));
  }
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
  std::set<std::string> host_ports;
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
    check_choice(container["terminationMessagePolicy"], at + ".terminationMessagePolicy",
                 {"File", "FallbackToLogsOnError"}, findings);
    check_restarts(container, at, which, findings);
    validate_handlers(container, at, which, findings);
    check_ports(container, at, spec["hostNetwork"].as_bool(), findings);
    if (which == ContainerKind::kInit) host_ports.clear();
    check_host_ports(container, at, host_ports, findings);
    validate_environment(container, at, findings);
    check_mounts(container, at, volumes, findings);
    check_resources(container["resources"], at + ".resources", findings);
    validate_container_security(container, at, findings);
  }
}

}  // namespace skiff::kube
