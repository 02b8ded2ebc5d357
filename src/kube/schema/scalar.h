// Scalars of the built-in kinds: checks and the form in which the server writes them. Inside kube/schema
// only.
#pragma once

#include <string>

#include "base/json.h"
#include "kube/schema/field_path.h"
#include "kube/schema/schema.h"

namespace skiff::kube {

// "string", "int32", "v1.Container": the item type of a field as Go names it.
std::string go_type_name(const Field& field);
// "json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type []v1.Container".
std::unexpected<Error> type_error(const Type& owner, const FieldPath& path, const json::Value& value,
                                  const std::string& go_type);
// One value of a field that is no struct; null becomes the zero value.
Result<json::Value> convert_scalar(const Type& owner, const Field& field, const json::Value& value,
                                   const FieldPath& path);

}  // namespace skiff::kube
