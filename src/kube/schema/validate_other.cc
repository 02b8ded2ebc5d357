#include <algorithm>

#include <fmt/format.h>

#include "kube/schema/names.h"
#include "kube/schema/validate.h"

namespace skiff::kube {
namespace {

using json::Value;

enum class Scope { kNamespace, kCluster };

void check_rules(const Value& role, Scope scope, Findings& findings) {
  const auto& rules = role["rules"].items();
  for (size_t i = 0; i < rules.size(); ++i) {
    auto at = fmt::format("rules[{}]", i);
    const auto& rule = rules[i];
    if (rule["verbs"].empty()) findings.required(at + ".verbs", "verbs must contain at least one value");
    if (!rule["nonResourceURLs"].empty()) {
      if (scope == Scope::kNamespace) {
        findings.invalid(at + ".nonResourceURLs", rule["nonResourceURLs"],
                         "namespaced rules cannot apply to non-resource URLs");
      }
      if (!rule["apiGroups"].empty() || !rule["resources"].empty() || !rule["resourceNames"].empty()) {
        findings.invalid(at + ".nonResourceURLs", rule["nonResourceURLs"],
                         "rules cannot apply to both regular resources and non-resource URLs");
      }
      continue;
    }
    if (rule["apiGroups"].empty()) {
      findings.required(at + ".apiGroups", "resource rules must supply at least one api group");
    }
    if (rule["resources"].empty()) {
      findings.required(at + ".resources", "resource rules must supply at least one resource");
    }
  }
}

void check_subject(const Value& subject, const std::string& at, Scope scope, Findings& findings) {
  const auto& kind = subject["kind"].str();
  if (subject["name"].empty()) findings.required(at + ".name");
  if (kind == "ServiceAccount") {
    if (!subject["name"].empty()) {
      findings.invalid_all(at + ".name", subject["name"], check_dns_subdomain(subject["name"].str()));
    }
    if (!subject["apiGroup"].empty()) findings.unsupported(at + ".apiGroup", subject["apiGroup"], {""});
    // In a RoleBinding it is an account of the same namespace then.
    if (scope == Scope::kCluster && subject["namespace"].empty()) findings.required(at + ".namespace");
  } else if (kind == "User" || kind == "Group") {
    if (subject["apiGroup"].str() != "rbac.authorization.k8s.io") {
      findings.unsupported(at + ".apiGroup", subject["apiGroup"], {"rbac.authorization.k8s.io"});
    }
  } else {
    findings.unsupported(at + ".kind", subject["kind"], {"ServiceAccount", "User", "Group"});
  }
}

void check_binding(const Value& binding, const Value* old, const std::vector<std::string>& kinds, Scope scope,
                   Findings& findings) {
  const auto& ref = binding["roleRef"];
  if (ref["apiGroup"].str() != "rbac.authorization.k8s.io") {
    findings.unsupported("roleRef.apiGroup", ref["apiGroup"], {"rbac.authorization.k8s.io"});
  }
  if (std::ranges::find(kinds, ref["kind"].str()) == kinds.end()) {
    findings.unsupported("roleRef.kind", Value(ref["kind"].str()), kinds);
  }
  if (ref["name"].empty()) {
    findings.required("roleRef.name");
  } else {
    findings.invalid_all("roleRef.name", ref["name"], check_path_segment(ref["name"].str()));
  }
  const auto& subjects = binding["subjects"].items();
  for (size_t i = 0; i < subjects.size(); ++i) {
    check_subject(subjects[i], fmt::format("subjects[{}]", i), scope, findings);
  }
  if (old != nullptr && (*old)["roleRef"] != ref) findings.invalid("roleRef", ref, "cannot change roleRef");
}

}  // namespace

void validate_role(const Value& role, const Value*, Findings& findings) {
  check_rules(role, Scope::kNamespace, findings);
}

void validate_cluster_role(const Value& role, const Value*, Findings& findings) {
  check_rules(role, Scope::kCluster, findings);
  const auto& aggregation = role["aggregationRule"];
  if (aggregation.is_null()) return;
  const std::string field = "aggregationRule.clusterRoleSelectors";
  const auto& selectors = aggregation["clusterRoleSelectors"];
  if (selectors.empty())
    findings.required(field, "at least one clusterRoleSelector required if aggregationRule is non-nil");
  for (size_t i = 0; i < selectors.size(); ++i)
    validate_selector(selectors.at(i), fmt::format("{}[{}]", field, i), findings);
}

void validate_role_binding(const Value& binding, const Value* old, Findings& findings) {
  check_binding(binding, old, {"Role", "ClusterRole"}, Scope::kNamespace, findings);
}

void validate_cluster_role_binding(const Value& binding, const Value* old, Findings& findings) {
  check_binding(binding, old, {"ClusterRole"}, Scope::kCluster, findings);
}

void validate_lease(const Value& lease, const Value*, Findings& findings) {
  const auto& spec = lease["spec"];
  const auto& seconds = spec["leaseDurationSeconds"];
  if (seconds.is_int() && seconds.as_int() <= 0) {
    findings.invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0");
  }
  findings.at_least("spec.leaseTransitions", spec["leaseTransitions"], 0);
}

void validate_node(const Value& node, const Value*, Findings& findings) {
  const auto& taints = node["spec"]["taints"].items();
  const std::vector<std::string> effects = {"NoSchedule", "PreferNoSchedule", "NoExecute"};
  for (size_t i = 0; i < taints.size(); ++i) {
    // The misplaced "metadata" is upstream's.
    auto at = fmt::format("metadata.taints[{}]", i);
    findings.invalid_all(at + ".key", Value(taints[i]["key"].str()),
                         check_qualified_name(taints[i]["key"].str()));
    findings.invalid_all(at + ".value", taints[i]["value"], check_label_value(taints[i]["value"].str()));
    if (std::ranges::find(effects, taints[i]["effect"].str()) == effects.end()) {
      findings.unsupported(at + ".effect", taints[i]["effect"], effects);
    }
  }
}

}  // namespace skiff::kube
