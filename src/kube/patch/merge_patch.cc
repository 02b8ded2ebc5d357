#include "kube/patch/patch.h"

namespace skiff::kube {

json::Value apply_merge_patch(const json::Value& object, const json::Value& patch) {
  if (!patch.is_object()) return patch;
  json::Value result = object.is_object() ? object : json::Value::object();
  for (const auto& [key, value] : patch.members()) {
    if (value.is_null()) {
      result.erase(key);
    } else {
      result.set(key, apply_merge_patch(result[key], value));
    }
  }
  return result;
}

}  // namespace skiff::kube
