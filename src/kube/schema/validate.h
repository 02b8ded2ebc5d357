// Semantic checks, by group of kinds. Inside kube/schema only; pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "kube/schema/schema.h"

namespace skiff::kube {

// Collects the errors of one object, in upstream's words.
class Findings {
 public:
  void required(std::string field, std::string_view detail = "");
  void invalid(std::string field, const json::Value& value, std::string_view detail);
  // For values that upstream prints in Go's syntax.
  void invalid_text(std::string field, std::string_view printed, std::string_view detail);
  // The supported values are listed in the given order.
  void unsupported(std::string field, const json::Value& value, const std::vector<std::string>& supported);
  void unsupported_text(std::string field, std::string_view printed,
                        const std::vector<std::string>& supported);
  void forbidden(std::string field, std::string_view detail);
  void duplicate(std::string field, const json::Value& value);
  void duplicate_text(std::string field, std::string_view printed);
  void not_found(std::string field, const json::Value& value);
  void too_long(std::string field, size_t max_bytes);
  // One error for each detail.
  void invalid_all(const std::string& field, const json::Value& value,
                   const std::vector<std::string>& details);
  void too_many(std::string field, size_t count, size_t most);
  // `got` and `detail` name JSON types.
  void wrong_type(std::string field, std::string_view got, std::string_view detail);
  // "must be greater than or equal to N" for a whole number below it; absent ones pass.
  void at_least(const std::string& field, const json::Value& value, int64_t least);
  bool empty() const { return errors_.empty(); }
  // Enough is known: more is neither kept nor worth looking for.
  bool full() const { return errors_.size() >= kMaxErrors || bytes_ >= kMaxBytes; }
  std::vector<FieldError> take() { return std::move(errors_); }

 private:
  void add(std::string_view reason, std::string field, std::string message);
  // An answer has at most so many errors, in so many bytes: what is wrong a million times is said often
  // enough.
  static constexpr size_t kMaxErrors = 1000, kMaxBytes = 1 << 20;
  std::vector<FieldError> errors_;
  size_t bytes_ = 0;
};

// `old` is null on create.
using ObjectCheck = void(const json::Value& object, const json::Value* old, Findings& findings);

// A value that is there is one of the choices.
void check_choice(const json::Value& value, const std::string& field, const std::vector<std::string>& choices,
                  Findings& findings);
void validate_metadata(const Kind& kind, const json::Value& object, const json::Value* old,
                       Findings& findings);
void validate_labels(const json::Value& labels, const std::string& field, Findings& findings);
void validate_pod_spec(const json::Value& spec, const std::string& field, Findings& findings);
void validate_volumes(const json::Value& volumes, const std::string& field, Findings& findings);
void validate_affinity(const json::Value& affinity, const std::string& field, Findings& findings);
// A metav1.LabelSelector.
void validate_selector(const json::Value& selector, const std::string& field, Findings& findings);
// A path within a folder: relative, no "..".
void validate_descending_path(const json::Value& path, const std::string& field, Findings& findings);
void validate_no_backsteps(const json::Value& path, const std::string& field, Findings& findings);
// How a Service leads its traffic.
void validate_traffic(const json::Value& service, const json::Value* old, Findings& findings);
enum class ContainerKind { kMain, kInit };
void validate_containers(const json::Value& spec, const std::string& field, ContainerKind which,
                         Findings& findings);
// The parts of a container by theme; `field` is the container's path.
void validate_environment(const json::Value& container, const std::string& field, Findings& findings);
void validate_handlers(const json::Value& container, const std::string& field, ContainerKind which,
                       Findings& findings);
void validate_container_security(const json::Value& container, const std::string& field, Findings& findings);
// The parts of a pod's spec by theme; `field` is the spec's path.
void validate_pod_security(const json::Value& spec, const std::string& field, Findings& findings);
void validate_pod_fields(const json::Value& spec, const std::string& field, Findings& findings);
// A resourceFieldRef.
void validate_resource_field(const json::Value& reference, const std::string& field, Findings& findings);
// map[string]string{"a":"b"}: as Go prints labels.
std::string go_map(const json::Value& map);

ObjectCheck validate_pod, validate_deployment, validate_replica_set, validate_service, validate_config_map,
    validate_secret, validate_ingress, validate_ingress_class, validate_endpoints, validate_endpoint_slice,
    validate_role, validate_cluster_role, validate_role_binding, validate_cluster_role_binding,
    validate_lease, validate_node, validate_event, validate_newer_event, validate_definition, validate_scale,
    validate_access_review, validate_self_access_review, validate_local_access_review;
// What a definition says beside its schemas.
void validate_definition_names(const json::Value& definition, const json::Value* old, Findings& findings);
// The selectable fields of a version of a definition; `schema` is its openAPIV3Schema.
void validate_selectable_fields(const json::Value& fields, const json::Value& schema, const std::string& at,
                                Findings& findings);
void validate_custom(const Kind& kind, const json::Value& object, const json::Value* old, Findings& findings);
// "string", "integer": as schemas name types.
std::string_view json_type_name(const json::Value& value);
void validate_unchanging(const json::Value& schema, const json::Value& value, const json::Value& old,
                         Findings& findings);
// The one rule in CEL that is evaluated: "self == oldSelf", for what never changes.
bool is_unchanging_rule(const json::Value& rule);

}  // namespace skiff::kube
