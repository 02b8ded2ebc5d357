// Access reviews: what they must say to be answered.
#include <fmt/format.h>

#include "base/strings.h"
#include "kube/schema/validate.h"

namespace skiff::kube {
namespace {

using json::Value;

// As Go prints the struct.
std::string go_path_attributes(const Value& attributes) {
  return fmt::format("authorization.NonResourceAttributes{{Path:{}, Verb:{}}}",
                     json::encode(Value(attributes["path"].str())),
                     json::encode(Value(attributes["verb"].str())));
}

// Field and label selectors of a resource: one form, not both.
void check_selector_attributes(const Value& selector, const std::string& field, Findings& findings) {
  if (selector.is_null()) return;
  const bool raw = !selector["rawSelector"].empty(), listed = !selector["requirements"].empty();
  if (raw && listed) {
    findings.invalid(field + ".rawSelector", selector["rawSelector"],
                     "may not specified at the same time as requirements");
  } else if (!raw && !listed) {
    findings.required(field + ".requirements",
                      fmt::format("when {} is specified, requirements or rawSelector is required", field));
  }
}

void check_attributes(const Value& spec, Findings& findings) {
  const Value& resource = spec["resourceAttributes"];
  const Value& path = spec["nonResourceAttributes"];
  if (!resource.is_null() && !path.is_null()) {
    findings.invalid_text("spec.nonResourceAttributes", go_path_attributes(path),
                          "cannot be specified in combination with resourceAttributes");
  }
  if (resource.is_null() && path.is_null()) {
    findings.invalid("spec.resourceAttributes", Value("null"),
                     "exactly one of nonResourceAttributes or resourceAttributes must be specified");
  }
}

void check_selectors(const Value& spec, Findings& findings) {
  for (const std::string name : {"fieldSelector", "labelSelector"}) {
    check_selector_attributes(spec["resourceAttributes"][name], "spec.resourceAttributes." + name, findings);
  }
}

void check_user(const Value& spec, Findings& findings) {
  if (!spec["user"].empty() || !spec["groups"].empty()) return;
  findings.invalid("spec.user", Value(""), "at least one of user or group must be specified");
}

// What the server sets itself is no matter.
void check_no_metadata(const Value& metadata, std::string_view allowed, std::string_view detail,
                       Findings& findings) {
  for (const auto& [name, value] : metadata.members()) {
    const bool own = name == "creationTimestamp" || name == "uid" || name == "managedFields";
    if (own || name == allowed || value.empty()) continue;
    findings.invalid("metadata", metadata, detail);
    return;
  }
}

}  // namespace

void validate_access_review(const Value& review, const Value*, Findings& findings) {
  check_attributes(review["spec"], findings);
  check_user(review["spec"], findings);
  check_selectors(review["spec"], findings);
  check_no_metadata(review["metadata"], "", "must be empty", findings);
}

void validate_self_access_review(const Value& review, const Value*, Findings& findings) {
  check_attributes(review["spec"], findings);
  check_selectors(review["spec"], findings);
  check_no_metadata(review["metadata"], "", "must be empty", findings);
}

void validate_local_access_review(const Value& review, const Value*, Findings& findings) {
  const Value& spec = review["spec"];
  check_attributes(spec, findings);
  check_user(spec, findings);
  check_selectors(spec, findings);
  check_no_metadata(review["metadata"], "namespace", "must be empty except for namespace", findings);
  const Value& resource = spec["resourceAttributes"];
  if (!resource.is_null() && resource["namespace"].str() != review["metadata"]["namespace"].str()) {
    findings.invalid("spec.resourceAttributes.namespace", Value(resource["namespace"].str()),
                     "must match metadata.namespace");
  }
  if (!spec["nonResourceAttributes"].is_null()) {
    findings.invalid_text("spec.nonResourceAttributes", go_path_attributes(spec["nonResourceAttributes"]),
                          "disallowed on this kind of request");
  }
}

}  // namespace skiff::kube
