#include "kube/schema/validate.h"

#include <algorithm>
#include <functional>
#include <map>

#include <fmt/format.h>

#include "base/strings.h"

namespace skiff::kube {

void Findings::add(std::string_view reason, std::string field, std::string message) {
  if (full()) return;
  bytes_ += field.size() + message.size();
  errors_.push_back({"FieldValue" + std::string(reason), std::move(field), std::move(message)});
}

void Findings::required(std::string field, std::string_view detail) {
  add("Required", std::move(field),
      detail.empty() ? "Required value" : fmt::format("Required value: {}", detail));
}

void Findings::invalid(std::string field, const json::Value& value, std::string_view detail) {
  invalid_text(std::move(field), json::encode(value), detail);
}

void Findings::invalid_text(std::string field, std::string_view printed, std::string_view detail) {
  add("Invalid", std::move(field), fmt::format("Invalid value: {}: {}", printed, detail));
}

void Findings::unsupported(std::string field, const json::Value& value,
                           const std::vector<std::string>& supported) {
  unsupported_text(std::move(field), json::encode(value), supported);
}

void Findings::unsupported_text(std::string field, std::string_view printed,
                                const std::vector<std::string>& supported) {
  std::vector<std::string> quoted;
  for (const auto& value : supported) quoted.push_back(fmt::format("\"{}\"", value));
  add("NotSupported", std::move(field),
      fmt::format("Unsupported value: {}: supported values: {}", printed, join(quoted, ", ")));
}

void Findings::forbidden(std::string field, std::string_view detail) {
  add("Forbidden", std::move(field), fmt::format("Forbidden: {}", detail));
}

void Findings::duplicate(std::string field, const json::Value& value) {
  duplicate_text(std::move(field), json::encode(value));
}

void Findings::duplicate_text(std::string field, std::string_view printed) {
  add("Duplicate", std::move(field), fmt::format("Duplicate value: {}", printed));
}

void Findings::not_found(std::string field, const json::Value& value) {
  add("NotFound", std::move(field), fmt::format("Not found: {}", json::encode(value)));
}

void Findings::too_long(std::string field, size_t max_bytes) {
  add("TooLong", std::move(field), fmt::format("Too long: may not be more than {} bytes", max_bytes));
}

void Findings::too_many(std::string field, size_t count, size_t most) {
  add("TooMany", std::move(field), fmt::format("Too many: {}: must have at most {} items", count, most));
}

void Findings::wrong_type(std::string field, std::string_view got, std::string_view detail) {
  add("TypeInvalid", std::move(field), fmt::format("Invalid value: \"{}\": {}", got, detail));
}

void Findings::invalid_all(const std::string& field, const json::Value& value,
                           const std::vector<std::string>& details) {
  for (const auto& detail : details) invalid(field, value, detail);
}

void Findings::at_least(const std::string& field, const json::Value& value, int64_t least) {
  if (value.is_int() && value.as_int() < least) {
    invalid(field, value, fmt::format("must be greater than or equal to {}", least));
  }
}

void check_choice(const json::Value& value, const std::string& field, const std::vector<std::string>& choices,
                  Findings& findings) {
  if (value.is_null() || std::ranges::find(choices, value.str()) != choices.end()) return;
  findings.unsupported(field, value, choices);
}

namespace {

using Check = std::function<void(const json::Value&, const json::Value*, Findings&)>;

const Check* find_check(const Kind& kind) {
  static const std::map<std::string, Check, std::less<>> table = {
      {"/Pod", validate_pod},
      {"apps/Deployment", validate_deployment},
      {"apps/ReplicaSet", validate_replica_set},
      {"/Service", validate_service},
      {"/ConfigMap", validate_config_map},
      {"/Secret", validate_secret},
      {"networking.k8s.io/Ingress", validate_ingress},
      {"networking.k8s.io/IngressClass", validate_ingress_class},
      {"/Endpoints", validate_endpoints},
      {"discovery.k8s.io/EndpointSlice", validate_endpoint_slice},
      {"rbac.authorization.k8s.io/Role", validate_role},
      {"rbac.authorization.k8s.io/ClusterRole", validate_cluster_role},
      {"rbac.authorization.k8s.io/RoleBinding", validate_role_binding},
      {"rbac.authorization.k8s.io/ClusterRoleBinding", validate_cluster_role_binding},
      {"coordination.k8s.io/Lease", validate_lease},
      {"/Node", validate_node},
      {"/Event", validate_event},
      {"events.k8s.io/Event", validate_newer_event},
      {"apiextensions.k8s.io/CustomResourceDefinition", validate_definition},
      {"autoscaling/Scale", validate_scale},
      {"authorization.k8s.io/SubjectAccessReview", validate_access_review},
      {"authorization.k8s.io/SelfSubjectAccessReview", validate_self_access_review},
      {"authorization.k8s.io/LocalSubjectAccessReview", validate_local_access_review},
  };
  auto found = table.find(kind.group + "/" + kind.kind);
  return found == table.end() ? nullptr : &found->second;
}

}  // namespace

std::vector<FieldError> validate(const Kind& kind, const json::Value& object, const json::Value* old) {
  Findings findings;
  // Reviews, bindings and options have no name of their own.
  if (kind.listed) validate_metadata(kind, object, old, findings);
  if (kind.type == nullptr) {
    validate_custom(kind, object, old, findings);
  } else if (const auto* check = find_check(kind)) {
    (*check)(object, old, findings);
  }
  return findings.take();
}

}  // namespace skiff::kube
