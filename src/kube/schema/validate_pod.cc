#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "kube/schema/names.h"
#include "kube/schema/validate.h"

namespace skiff::kube {
namespace {

using json::Value;

constexpr std::string_view kPodUpdate =
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing "
    "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously "
    "negative)";

void check_one_of(const Value& value, const std::string& field, const std::vector<std::string>& allowed,
                  Findings& findings) {
  if (value.empty()) {
    findings.required(field);
  } else if (std::ranges::find(allowed, value.str()) == allowed.end()) {
    findings.unsupported(field, value, allowed);
  }
}

void check_dns(const Value& spec, const std::string& field, Findings& findings) {
  check_one_of(spec["dnsPolicy"], field + ".dnsPolicy",
               {"ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"}, findings);
  if (spec["dnsPolicy"].str() != "None") return;
  if (spec["dnsConfig"].is_null()) {
    findings.required(field + ".dnsConfig", "must provide `dnsConfig` when `dnsPolicy` is None");
  } else if (spec["dnsConfig"]["nameservers"].empty()) {
    findings.required(field + ".dnsConfig.nameservers",
                      "must provide at least one DNS nameserver when `dnsPolicy` is None");
  }
}

void check_toleration(const Value& toleration, const std::string& field, Findings& findings) {
  const auto& key = toleration["key"].str();
  const auto& op = toleration["operator"].str();
  if (!key.empty()) findings.invalid_all(field + ".key", toleration["key"], check_qualified_name(key));
  if (key.empty() && op != "Exists") {
    findings.invalid(field + ".operator", Value(op),
                     "operator must be Exists when `key` is empty, which means \"match "
                     "all values and all keys\"");
  }
  if (!toleration["tolerationSeconds"].is_null() && toleration["effect"].str() != "NoExecute") {
    findings.invalid(field + ".effect", Value(toleration["effect"].str()),
                     "effect must be 'NoExecute' when `tolerationSeconds` is set");
  }
  if (op == "Exists" && !toleration["value"].empty()) {
    findings.invalid(field + ".operator", toleration["value"],
                     "value must be empty when `operator` is 'Exists'");
  } else if (op.empty() || op == "Equal") {
    findings.invalid_all(field + ".operator", toleration["value"],
                         check_label_value(toleration["value"].str()));
  } else if (op != "Exists") {
    findings.unsupported(field + ".operator", toleration["operator"], {"Equal", "Exists"});
  }
  if (!toleration["effect"].empty()) {
    check_one_of(toleration["effect"], field + ".effect", {"NoSchedule", "PreferNoSchedule", "NoExecute"},
                 findings);
  }
}

void check_placement(const Value& spec, const std::string& field, Findings& findings) {
  validate_labels(spec["nodeSelector"], field + ".nodeSelector", findings);
  const auto& deadline = spec["activeDeadlineSeconds"];
  if (deadline.is_int() && (deadline.as_int() < 1 || deadline.as_int() > 2147483647)) {
    findings.invalid(field + ".activeDeadlineSeconds", deadline,
                     "must be between 1 and 2147483647, inclusive");
  }
  validate_affinity(spec["affinity"], field + ".affinity", findings);
  size_t index = 0;
  for (const auto& toleration : spec["tolerations"].items()) {
    check_toleration(toleration, fmt::format("{}.tolerations[{}]", field, index++), findings);
  }
  if (!spec["serviceAccountName"].empty()) {
    findings.invalid_all(field + ".serviceAccountName", spec["serviceAccountName"],
                         check_dns_subdomain(spec["serviceAccountName"].str()));
  }
  if (!spec["nodeName"].empty()) {
    findings.invalid_all(field + ".nodeName", spec["nodeName"], check_dns_subdomain(spec["nodeName"].str()));
  }
}

bool same_count(const Value& spec, const Value& before, const std::string& list, Findings& findings) {
  if (spec[list].size() == before[list].size()) return true;
  findings.forbidden("spec." + list, "pod updates may not add or remove containers");
  return false;
}

void copy_images(Value& spec, const Value& before, std::string_view list) {
  if (before[list].empty()) return;
  auto& items = spec.edit(list).edit_items();
  for (size_t i = 0; i < items.size() && i < before[list].size(); ++i) {
    items[i].set("image", before[list].at(i)["image"]);
  }
}

void copy_member(Value& spec, const Value& before, std::string_view name) {
  if (before.contains(name)) {
    spec.set(name, before[name]);
  } else {
    spec.erase(name);
  }
}

bool is_gated(const Value& pod_spec) {
  return !pod_spec["schedulingGates"].empty();
}

void check_pod_update(const Value& pod, const Value& old, Findings& findings) {
  Value spec = pod["spec"];
  const auto& before = old["spec"];
  if (!same_count(spec, before, "containers", findings) ||
      !same_count(spec, before, "initContainers", findings)) {
    return;
  }
  copy_images(spec, before, "containers");
  copy_images(spec, before, "initContainers");
  bool negative_grace = before["terminationGracePeriodSeconds"].as_int() < 0;
  if (negative_grace && spec["terminationGracePeriodSeconds"].as_int() == 1) {
    copy_member(spec, before, "terminationGracePeriodSeconds");
  }
  const auto& deadline = before["activeDeadlineSeconds"];
  if (deadline.is_null() || spec["activeDeadlineSeconds"].as_int(INT64_MAX) <= deadline.as_int()) {
    copy_member(spec, before, "activeDeadlineSeconds");
  } else {
    findings.invalid("spec.activeDeadlineSeconds", spec["activeDeadlineSeconds"],
                     "must be less than or equal to previous value");
    copy_member(spec, before, "activeDeadlineSeconds");
  }
  for (auto name : {"tolerations", "schedulingGates"}) copy_member(spec, before, name);
  if (is_gated(before)) {
    for (auto name : {"nodeSelector", "affinity"}) copy_member(spec, before, name);
  }
  if (spec != before) findings.forbidden("spec", kPodUpdate);
}

void check_new_pod(const Value& spec, Findings& findings) {
  if (!spec["ephemeralContainers"].empty())
    findings.forbidden("spec.ephemeralContainers", "cannot be set on create");
  if (is_gated(spec) && !spec["nodeName"].empty())
    findings.forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared");
}

}  // namespace

void validate_pod_spec(const Value& spec, const std::string& field, Findings& findings) {
  validate_volumes(spec["volumes"], field + ".volumes", findings);
  if (spec["containers"].empty()) findings.required(field + ".containers");
  validate_containers(spec, field, ContainerKind::kMain, findings);
  validate_containers(spec, field, ContainerKind::kInit, findings);
  check_one_of(spec["restartPolicy"], field + ".restartPolicy", {"Always", "OnFailure", "Never"}, findings);
  check_dns(spec, field, findings);
  check_placement(spec, field, findings);
  validate_pod_fields(spec, field, findings);
  validate_pod_security(spec, field, findings);
}

void validate_pod(const Value& pod, const Value* old, Findings& findings) {
  const auto& spec = pod["spec"];
  // What is stored may stand, so that its status can be told: earlier rules allowed more.
  if (old == nullptr || (*old)["spec"] != spec) validate_pod_spec(spec, "spec", findings);
  if (old == nullptr) check_new_pod(spec, findings);
  if (old != nullptr) check_pod_update(pod, *old, findings);
}

}  // namespace skiff::kube
