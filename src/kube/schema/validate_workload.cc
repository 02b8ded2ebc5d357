#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"
#include "kube/schema/validate.h"
#include "kube/selector/selector.h"

namespace skiff::kube {
namespace {

using json::Value;

std::string go_selector(const Value& selector) {
  std::vector<std::string> requirements;
  for (const auto& item : selector["matchExpressions"].items()) {
    std::vector<std::string> values;
    for (const auto& value : item["values"].items()) values.push_back(json::encode(value));
    auto list = values.empty() ? "[]string(nil)" : fmt::format("[]string{{{}}}", join(values, ", "));
    requirements.push_back(fmt::format("v1.LabelSelectorRequirement{{Key:{}, Operator:{}, Values:{}}}",
                                       json::encode(item["key"]), json::encode(item["operator"]), list));
  }
  auto expressions = requirements.empty()
                         ? "[]v1.LabelSelectorRequirement(nil)"
                         : fmt::format("[]v1.LabelSelectorRequirement{{{}}}", join(requirements, ", "));
  return fmt::format("v1.LabelSelector{{MatchLabels:{}, MatchExpressions:{}}}",
                     go_map(selector["matchLabels"]), expressions);
}

void check_expressions(const Value& selector, Findings& findings) {
  size_t index = 0;
  for (const auto& item : selector["matchExpressions"].items()) {
    auto at = fmt::format("spec.selector.matchExpressions[{}]", index++);
    const auto& op = item["operator"].str();
    bool has_values = !item["values"].empty();
    if (op == "In" || op == "NotIn") {
      if (!has_values)
        findings.required(at + ".values", "must be specified when `operator` is 'In' or 'NotIn'");
    } else if (op == "Exists" || op == "DoesNotExist") {
      if (has_values) {
        findings.forbidden(at + ".values",
                           "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
      }
    } else {
      findings.invalid(at + ".operator", item["operator"], "not a valid selector operator");
    }
  }
}

bool is_well_formed(const Value& selector) {
  Findings scratch;
  check_expressions(selector, scratch);
  return scratch.empty();
}

void check_selector(const Value& spec, std::string_view kind_word, Findings& findings) {
  const auto& selector = spec["selector"];
  if (selector.is_null()) {
    findings.required("spec.selector");
    return;
  }
  validate_labels(selector["matchLabels"], "spec.selector.matchLabels", findings);
  check_expressions(selector, findings);
  if (selector["matchLabels"].empty() && selector["matchExpressions"].empty()) {
    findings.invalid_text("spec.selector", go_selector(selector),
                          fmt::format("empty selector is invalid for {}", kind_word));
  }
}

bool selects_template(const Value& selector, const Value& labels) {
  if (selector.is_null()) return false;
  auto parsed = LabelSelector::from_object(selector);
  return parsed && parsed->matches(labels);
}

// What is stored may stand, so that its status can be told: earlier rules allowed more.
void check_pods(const Value& pods, const Value* old, Findings& findings) {
  if (old != nullptr && (*old)["spec"]["template"]["spec"] == pods) return;
  validate_pod_spec(pods, "spec.template.spec", findings);
  if (!pods["ephemeralContainers"].empty())
    findings.forbidden("spec.template.spec.ephemeralContainers",
                       "ephemeral containers not allowed in pod template");
}

void check_template(const Value& spec, const Value* old, Findings& findings) {
  const auto& labels = spec["template"]["metadata"]["labels"];
  if (!spec["selector"].is_null() && !is_well_formed(spec["selector"])) {
    findings.invalid_text("spec.selector", go_selector(spec["selector"]), "invalid label selector");
  } else {
    if (!selects_template(spec["selector"], labels)) {
      findings.invalid_text("spec.template.metadata.labels", go_map(labels),
                            "`selector` does not match template `labels`");
    }
    // The path is upstream's.
    validate_labels(labels, "spec.template.labels", findings);
    check_pods(spec["template"]["spec"], old, findings);
  }
  const auto& policy = spec["template"]["spec"]["restartPolicy"];
  if (policy.str() == "OnFailure" || policy.str() == "Never") {
    findings.unsupported("spec.template.spec.restartPolicy", policy, {"Always"});
  }
}

std::string go_int_or_string(const Value& value) {
  return value.is_string()
             ? fmt::format("intstr.IntOrString{{Type:1, IntVal:0, StrVal:{}}}", json::encode(value))
             : fmt::format("intstr.IntOrString{{Type:0, IntVal:{}, StrVal:\"\"}}", value.as_int());
}

// Nothing when it is no percentage.
std::optional<int64_t> parse_percent(const Value& value) {
  std::string_view text = value.str();
  if (!text.ends_with('%')) return std::nullopt;
  return parse_int(text.substr(0, text.size() - 1));
}

bool is_nothing(const Value& value) {
  return value.is_string() ? parse_percent(value) == 0 : value.as_int() == 0;
}

void check_share(const Value& value, const std::string& field, Findings& findings) {
  if (value.is_string()) {
    auto percent = parse_percent(value);
    if (!percent || *percent < 0) {
      findings.invalid_text(
          field, go_int_or_string(value),
          "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or "
          "'93%', regex used for validation is '[0-9]+%')");
    }
    return;
  }
  findings.at_least(field, value, 0);
}

void check_rolling_update(const Value& rolling, const std::string& field, Findings& findings) {
  const auto& unavailable = rolling["maxUnavailable"];
  check_share(unavailable, field + ".maxUnavailable", findings);
  check_share(rolling["maxSurge"], field + ".maxSurge", findings);
  if (is_nothing(unavailable) && is_nothing(rolling["maxSurge"])) {
    findings.invalid_text(field + ".maxUnavailable", go_int_or_string(unavailable),
                          "may not be 0 when `maxSurge` is 0");
  }
  if (parse_percent(unavailable).value_or(0) > 100) {
    findings.invalid_text(field + ".maxUnavailable", go_int_or_string(unavailable),
                          "must not be greater than 100%");
  }
}

void check_strategy(const Value& strategy, Findings& findings) {
  const auto& type = strategy["type"].str();
  const std::string field = "spec.strategy.rollingUpdate";
  if (type == "RollingUpdate") {
    check_rolling_update(strategy["rollingUpdate"], field, findings);
  } else if (type == "Recreate") {
    if (strategy["rollingUpdate"].is_object()) {
      findings.forbidden(field, "may not be specified when strategy `type` is 'Recreate'");
    }
  } else {
    auto printed =
        fmt::format("apps.DeploymentStrategy{{Type:{}, RollingUpdate:(*apps.RollingUpdateDeployment)(nil)}}",
                    json::encode(strategy["type"]));
    findings.unsupported_text("spec.strategy", printed, {"Recreate", "RollingUpdate"});
  }
}

void check_immutable_selector(const Value& object, const Value* old, Findings& findings) {
  if (old == nullptr || (*old)["spec"]["selector"] == object["spec"]["selector"]) return;
  findings.invalid_text("spec.selector", go_selector(object["spec"]["selector"]), "field is immutable");
}

void check_status(const Value& status, Findings& findings) {
  for (auto name : {"replicas", "updatedReplicas", "readyReplicas", "availableReplicas",
                    "unavailableReplicas", "fullyLabeledReplicas"}) {
    findings.at_least(fmt::format("status.{}", name), status[name], 0);
  }
  auto replicas = status["replicas"].as_int();
  for (auto name : {"updatedReplicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas"}) {
    if (std::string_view(name) == "fullyLabeledReplicas" && !status.contains(name)) continue;
    auto count = status[name].as_int();
    if (count > replicas) {
      findings.invalid(fmt::format("status.{}", name), Value(count),
                       "cannot be greater than status.replicas");
    }
  }
}

}  // namespace

void validate_deployment(const Value& deployment, const Value* old, Findings& findings) {
  const auto& spec = deployment["spec"];
  findings.at_least("spec.replicas", spec["replicas"], 0);
  check_selector(spec, "deployment", findings);
  check_template(spec, old, findings);
  check_strategy(spec["strategy"], findings);
  findings.at_least("spec.minReadySeconds", spec["minReadySeconds"], 0);
  findings.at_least("spec.revisionHistoryLimit", spec["revisionHistoryLimit"], 0);
  const auto& deadline = spec["progressDeadlineSeconds"];
  findings.at_least("spec.progressDeadlineSeconds", deadline, 0);
  if (deadline.is_int() && deadline.as_int() <= spec["minReadySeconds"].as_int()) {
    findings.invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds");
  }
  if (old != nullptr) check_status(deployment["status"], findings);
  check_immutable_selector(deployment, old, findings);
}

void validate_replica_set(const Value& replica_set, const Value* old, Findings& findings) {
  const auto& spec = replica_set["spec"];
  findings.at_least("spec.replicas", spec["replicas"], 0);
  findings.at_least("spec.minReadySeconds", spec["minReadySeconds"], 0);
  check_selector(spec, "deployment", findings);
  check_template(spec, old, findings);
  if (old != nullptr) check_status(replica_set["status"], findings);
  check_immutable_selector(replica_set, old, findings);
}

void validate_scale(const Value& scale, const Value*, Findings& findings) {
  findings.at_least("spec.replicas", scale["spec"]["replicas"], 0);
}

}  // namespace skiff::kube
