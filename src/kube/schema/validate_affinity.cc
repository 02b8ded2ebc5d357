// Where pods may run: node affinity, affinity to other pods, and the selectors in them.
#include <fmt/format.h>

#include "base/strings.h"
#include "kube/schema/names.h"
#include "kube/schema/validate.h"

namespace skiff::kube {
namespace {

using json::Value;

constexpr const char* kRequired = "requiredDuringSchedulingIgnoredDuringExecution";
constexpr const char* kPreferred = "preferredDuringSchedulingIgnoredDuringExecution";

void check_weight(const Value& term, const std::string& at, Findings& findings) {
  const auto weight = term["weight"].as_int();
  if (weight < 1 || weight > 100)
    findings.invalid(at + ".weight", Value(weight), "must be in the range 1-100");
}

// How many values fit the operator, and the key, of a requirement on labels; nodes' may be compared too.
enum class Compared { kNo, kYes };
void check_requirement(const Value& requirement, const std::string& at, Compared compared,
                       Findings& findings) {
  const auto& op = requirement["operator"].str();
  const auto& values = requirement["values"];
  if (op == "In" || op == "NotIn") {
    if (values.empty())
      findings.required(at + ".values", "must be specified when `operator` is 'In' or 'NotIn'");
  } else if (op == "Exists" || op == "DoesNotExist") {
    if (!values.empty())
      findings.forbidden(at + ".values",
                         "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
  } else if (compared == Compared::kYes && (op == "Gt" || op == "Lt")) {
    if (values.size() != 1)
      findings.required(at + ".values", "must be specified single value when `operator` is 'Lt' or 'Gt'");
  } else {
    findings.invalid(at + ".operator", Value(op), "not a valid selector operator");
  }
  findings.invalid_all(at + ".key", Value(requirement["key"].str()),
                       check_qualified_name(requirement["key"].str()));
}

// Terms that weigh; `check` looks at what each holds as `member`.
void check_preferred(const Value& affinity, const std::string& field, std::string_view member,
                     void (*check)(const Value& term, const std::string& at, Findings& findings),
                     Findings& findings) {
  const auto& terms = affinity[kPreferred];
  for (size_t i = 0; i < terms.size(); ++i) {
    const auto at = fmt::format("{}.{}[{}]", field, kPreferred, i);
    check_weight(terms.at(i), at, findings);
    check(terms.at(i)[member], fmt::format("{}.{}", at, member), findings);
  }
}

void check_node_field(const Value& requirement, const std::string& at, Findings& findings) {
  const auto& op = requirement["operator"].str();
  if (op != "In" && op != "NotIn") {
    findings.invalid(at + ".operator", Value(op), "not a valid selector operator");
  } else if (requirement["values"].size() != 1) {
    findings.required(at + ".values",
                      "must be only one value when `operator` is 'In' or 'NotIn' for node field selector");
  }
  if (requirement["key"].str() != "metadata.name")
    findings.invalid(at + ".key", Value(requirement["key"].str()), "not a valid field selector key");
}

void check_node_term(const Value& term, const std::string& at, Findings& findings) {
  for (size_t i = 0; i < term["matchExpressions"].size(); ++i)
    check_requirement(term["matchExpressions"].at(i), fmt::format("{}.matchExpressions[{}]", at, i),
                      Compared::kYes, findings);
  for (size_t i = 0; i < term["matchFields"].size(); ++i)
    check_node_field(term["matchFields"].at(i), fmt::format("{}.matchFields[{}]", at, i), findings);
}

void check_node_affinity(const Value& affinity, const std::string& field, Findings& findings) {
  const auto& required = affinity[kRequired];
  const std::string terms = fmt::format("{}.{}.nodeSelectorTerms", field, kRequired);
  if (required.is_object() && required["nodeSelectorTerms"].empty())
    findings.required(terms, "must have at least one node selector term");
  for (size_t i = 0; i < required["nodeSelectorTerms"].size(); ++i)
    check_node_term(required["nodeSelectorTerms"].at(i), fmt::format("{}[{}]", terms, i), findings);
  check_preferred(affinity, field, "preference", check_node_term, findings);
}

void check_pod_term(const Value& term, const std::string& at, Findings& findings) {
  validate_selector(term["labelSelector"], at + ".labelSelector", findings);
  validate_selector(term["namespaceSelector"], at + ".namespaceSelector", findings);
  for (const auto& name_space : term["namespaces"].items())
    findings.invalid_all(at + ".namespace", name_space, check_dns_label(name_space.str()));
  if (term["topologyKey"].empty()) findings.required(at + ".topologyKey", "can not be empty");
  findings.invalid_all(at + ".topologyKey", Value(term["topologyKey"].str()),
                       check_qualified_name(term["topologyKey"].str()));
}

void check_pod_affinity(const Value& affinity, const std::string& field, Findings& findings) {
  for (size_t i = 0; i < affinity[kRequired].size(); ++i)
    check_pod_term(affinity[kRequired].at(i), fmt::format("{}.{}[{}]", field, kRequired, i), findings);
  check_preferred(affinity, field, "podAffinityTerm", check_pod_term, findings);
}

}  // namespace

void validate_selector(const Value& selector, const std::string& field, Findings& findings) {
  validate_labels(selector["matchLabels"], field + ".matchLabels", findings);
  for (size_t i = 0; i < selector["matchExpressions"].size(); ++i) {
    const auto& requirement = selector["matchExpressions"].at(i);
    const auto at = fmt::format("{}.matchExpressions[{}]", field, i);
    const auto& values = requirement["values"];
    check_requirement(requirement, at, Compared::kNo, findings);
    for (size_t k = 0; k < values.size(); ++k) {
      findings.invalid_all(fmt::format("{}.values[{}]", at, k), values.at(k),
                           check_label_value(values.at(k).str()));
    }
  }
}

void validate_affinity(const Value& affinity, const std::string& field, Findings& findings) {
  check_node_affinity(affinity["nodeAffinity"], field + ".nodeAffinity", findings);
  check_pod_affinity(affinity["podAffinity"], field + ".podAffinity", findings);
  check_pod_affinity(affinity["podAntiAffinity"], field + ".podAntiAffinity", findings);
}

}  // namespace skiff::kube
