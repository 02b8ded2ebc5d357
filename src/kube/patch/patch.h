// The three patches of the API: RFC 6902, RFC 7386 and Kubernetes' strategic merge. Pure.
#pragma once

#include "base/json.h"
#include "kube/schema/schema.h"

namespace skiff::kube {

constexpr size_t kMaxJsonPatchOperations = 10000;

// InvalidArgument when the patch is malformed; Conflict-free: a failed `test` or a missing path is kNotFound,
// which the server answers with 422 "the server rejected our request due to an error in our request".
// kResourceExhausted: more operations, or more copied bytes, than the bounds allow.
Result<json::Value> apply_json_patch(const json::Value& object, const json::Value& patch);
json::Value apply_merge_patch(const json::Value& object, const json::Value& patch);
// Directives $patch, $deleteFromPrimitiveList, $setElementOrder, $retainKeys; merge keys from the type.
// kInvalidArgument: malformed directives (400). kInternal: directives that contradict the patch or are
// unknown, and elements without their merge key (upstream: 500).
Result<json::Value> apply_strategic_merge_patch(const Type& type, const json::Value& object,
                                                const json::Value& patch);
// As Go's %v prints it: "map[a:1 b:[x y]]". Error texts show patches so.
std::string print_go(const json::Value& value);

}  // namespace skiff::kube
