// A value read into a struct and written again, as Go's encoding/json does for upstream: unknown fields
// dropped, types checked, zero values left out or written as the field's tags say. Used inside kube/schema
// only; pure.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "kube/schema/field_path.h"
#include "kube/schema/schema.h"

namespace skiff::kube {

class Conformer {
 public:
  // Findings about unknown fields are appended, up to json::kMaxDuplicateKeys of them; null drops them
  // silently.
  explicit Conformer(std::vector<std::string>* findings) : findings_(findings) {}

  // `path` is that of the struct in the object; errors are in the words of Go's json.
  Result<json::Value> convert(const Type& type, const json::Value& value, const FieldPath& path);

 private:
  Result<json::Value> convert_field(const Type& owner, const Field& field, const json::Value& value,
                                    const FieldPath& path);
  Result<json::Value> convert_list(const Type& owner, const Field& field, const json::Value& value,
                                   const FieldPath& path);
  Result<json::Value> convert_map(const Type& owner, const Field& field, const json::Value& value,
                                  const FieldPath& path);
  Result<json::Value> convert_item(const Type& owner, const Field& field, const json::Value& value,
                                   const FieldPath& path);

  std::vector<std::string>* findings_;
};

// Notes a field that its type does not have; `findings` may be null.
void note_unknown_field(std::vector<std::string>* findings, const FieldPath& path);
// Custom resources: fields that the schema does not name are removed and reported; keys are sorted, as
// upstream writes them.
json::Value prune_custom(const Kind& kind, const json::Value& object, std::vector<std::string>* findings);
// Sets the schema's defaults; true when there was one to set.
bool default_custom(const json::Value& schema, json::Value& value);
// A null in a field that may not be null, and has no default, is as if the field were not given.
void drop_nulls(const json::Value& schema, json::Value& value);

}  // namespace skiff::kube
