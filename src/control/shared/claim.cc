#include "control/shared/claim.h"

namespace skiff::control {

namespace {

Action adopt(const Claimer& claimer, const Value& child) {
  auto refs = child["metadata"]["ownerReferences"];
  refs.push_back(make_controller_ref(claimer.owner, claimer.api_version, claimer.kind));
  // The uid guards against a new object of the same name.
  auto patch = Value::object(
      {{"metadata", Value::object({{"uid", uid_of(child)}, {"ownerReferences", std::move(refs)}})}});
  return merge_patch(path_of(claimer.child_api, claimer.child_plural, namespace_of(child), name_of(child)),
                     std::move(patch));
}

Action release(const Claimer& claimer, const Value& child) {
  auto gone = Value::object({{"$patch", "delete"}, {"uid", uid_of(claimer.owner)}});
  auto patch = Value::object(
      {{"metadata",
        Value::object({{"ownerReferences", Value::array({std::move(gone)})}, {"uid", uid_of(child)}})}});
  return strategic_patch(
      path_of(claimer.child_api, claimer.child_plural, namespace_of(child), name_of(child)),
      std::move(patch));
}

}  // namespace

Claim plan_claim(const Claimer& claimer, const std::vector<Value>& candidates) {
  Claim claim;
  bool confirmed = false;
  const bool owner_deleting = is_deleting(claimer.owner);
  for (const auto& child : candidates) {
    const auto& owner = controller_ref(child);
    const bool matches = claimer.matches(child["metadata"]["labels"]);
    if (!owner.is_null()) {
      if (owner["uid"].str() != uid_of(claimer.owner)) continue;
      if (matches) {
        claim.owned.push_back(child);
      } else if (!owner_deleting) {
        claim.actions.push_back(release(claimer, child));
      }
      continue;
    }
    if (!matches || owner_deleting || is_deleting(child)) continue;
    if (!confirmed) claim.actions.push_back(confirm(claimer.owner_path, uid_of(claimer.owner)));
    confirmed = true;
    claim.actions.push_back(adopt(claimer, child));
  }
  return claim;
}

}  // namespace skiff::control
