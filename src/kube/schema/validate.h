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
  // An object of the words that a value check returns.
  void invalid_all(const std::string& field, const json::Value& value,
                   const std::vector<std::string>& details);
  bool empty() const { return errors_.empty(); }
  std::vector<FieldError> take() { return std::move(errors_); }

 private:
  void add(std::string_view reason, std::string field, std::string message);
  std::vector<FieldError> errors_;
};

void validate_metadata(const Kind& kind, const json::Value& object, const json::Value* old,
                       Findings& findings);
void validate_labels(const json::Value& labels, const std::string& field, Findings& findings);
void validate_pod(const json::Value& pod, const json::Value* old, Findings& findings);
// `of_pod`: "pod" checks; also used for the template of a workload.
void validate_pod_spec(const json::Value& spec, const std::string& field, Findings& findings);
void validate_container(const json::Value& container, const std::string& field, const json::Value& volumes,
                        bool init, Findings& findings);
void validate_deployment(const json::Value& deployment, const json::Value* old, Findings& findings);
void validate_replica_set(const json::Value& replica_set, const json::Value* old, Findings& findings);
void validate_service(const json::Value& service, const json::Value* old, Findings& findings);
void validate_ingress(const json::Value& ingress, Findings& findings);
void validate_endpoint_slice(const json::Value& slice, Findings& findings);
void validate_config_map(const json::Value& map, const json::Value* old, Findings& findings);
void validate_secret(const json::Value& secret, const json::Value* old, Findings& findings);
void validate_other(const Kind& kind, const json::Value& object, const json::Value* old, Findings& findings);
void validate_custom(const Kind& kind, const json::Value& object, Findings& findings);

}  // namespace skiff::kube
