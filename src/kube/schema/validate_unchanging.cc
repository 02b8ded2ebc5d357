// Of the rules in CEL (x-kubernetes-validations) only "self == oldSelf" is evaluated.
#include "base/strings.h"
#include "kube/schema/field_path.h"
#include "kube/schema/validate.h"

namespace skiff::kube {
namespace {

using json::Value;

// Down the properties: rules below lists and maps compare what belongs together by key, which is not done
// here.
void check_unchanging(const Value& schema, const Value& value, const Value& old, const FieldPath& path,
                      Findings& findings) {
  if (value.is_null() || old.is_null()) return;
  for (const auto& rule : schema["x-kubernetes-validations"].items()) {
    if (!is_unchanging_rule(rule) || value == old) continue;
    findings.wrong_type(path.text(), json_type_name(value),
                        rule["message"].str_or("failed rule: " + rule["rule"].str()));
  }
  for (const auto& [name, property] : schema["properties"].members()) {
    check_unchanging(property, value[name], old[name], FieldPath(path, name), findings);
  }
}

}  // namespace

bool is_unchanging_rule(const Value& rule) {
  return trim(rule["rule"].str()) == "self == oldSelf";
}

void validate_unchanging(const Value& schema, const Value& value, const Value& old, Findings& findings) {
  check_unchanging(schema, value, old, FieldPath(), findings);
}

}  // namespace skiff::kube
