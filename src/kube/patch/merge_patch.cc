#include "kube/patch/patch.h"

namespace skiff::kube {

json::Value apply_merge_patch(const json::Value& object, const json::Value& patch) {
  if (!patch.is_object()) return patch;
  // What the patch removes is left out in one pass: each removal by itself moves all that follows.
  json::Members kept;
  for (const auto& member : object.members()) {
    const json::Value* change = patch.find(member.first);
    if (change == nullptr || !change->is_null()) kept.push_back(member);
  }
  json::Value result = json::Value::object(std::move(kept));
  for (const auto& [key, value] : patch.members()) {
    if (!value.is_null()) result.set(key, apply_merge_patch(result[key], value));
  }
  return result;
}

}  // namespace skiff::kube
