#include "control/gc/plan.h"

#include <algorithm>

namespace skiff::control {

namespace {

Action drop_finalizer(const GarbageView& view, std::string_view name) {
  auto kept = Value::array();
  for (const auto& finalizer : view.object["metadata"]["finalizers"].items()) {
    if (finalizer.str() != name) kept.push_back(finalizer);
  }
  // The resourceVersion keeps a finalizer that came meanwhile from being lost.
  return merge_patch(
      view.path,
      Value::object(
          {{"metadata", Value::object({{"resourceVersion", view.object["metadata"]["resourceVersion"]},
                                       {"finalizers", std::move(kept)}})}}));
}

Action set_owners(const Value& object, const std::string& path, Value refs) {
  return merge_patch(
      path,
      Value::object({{"metadata", Value::object({{"resourceVersion", object["metadata"]["resourceVersion"]},
                                                 {"ownerReferences", std::move(refs)}})}}));
}

Action delete_as(const GarbageView& view, const char* policy) {
  return remove(view.path, Value::object({{"propagationPolicy", policy},
                                          {"preconditions", Value::object({{"uid", uid_of(view.object)}})}}));
}

bool blocks(const Dependent& dependent, const std::string& owner) {
  return std::ranges::any_of(dependent.object["metadata"]["ownerReferences"].items(), [&](const Value& ref) {
    return ref["uid"].str() == owner && ref["blockOwnerDeletion"].as_bool();
  });
}

Plan plan_orphan(const GarbageView& view) {
  Plan plan;
  for (const auto& dependent : view.dependents) {
    auto kept = Value::array();
    for (const auto& ref : dependent.object["metadata"]["ownerReferences"].items()) {
      if (ref["uid"].str() != uid_of(view.object)) kept.push_back(ref);
    }
    plan.actions.push_back(set_owners(dependent.object, dependent.path, std::move(kept)));
  }
  plan.actions.push_back(drop_finalizer(view, kOrphan));
  return plan;
}

void plan_foreground(const GarbageView& view, Plan& plan) {
  const auto& uid = uid_of(view.object);
  const bool blocked = std::ranges::any_of(
      view.dependents, [&](const Dependent& dependent) { return blocks(dependent, uid); });
  if (!blocked) plan.actions.push_back(drop_finalizer(view, kForeground));
}

}  // namespace

bool has_finalizer(const Value& object, std::string_view name) {
  return std::ranges::any_of(object["metadata"]["finalizers"].items(),
                             [&](const Value& finalizer) { return finalizer.str() == name; });
}

Plan plan_garbage(const GarbageView& view) {
  Plan plan;
  const bool deleting = is_deleting(view.object);
  const bool foreground = deleting && has_finalizer(view.object, kForeground);
  if (deleting && has_finalizer(view.object, kOrphan)) return plan_orphan(view);
  if (foreground) plan_foreground(view, plan);
  if (deleting || view.owners.empty()) return plan;

  const auto count = [&](OwnerState state) { return std::ranges::count(view.owners, state); };
  if (count(OwnerState::kSolid) > 0) {
    if (count(OwnerState::kSolid) == std::ssize(view.owners)) return plan;
    auto kept = Value::array();
    const auto& refs = view.object["metadata"]["ownerReferences"].items();
    for (size_t i = 0; i < refs.size(); ++i) {
      if (view.owners[i] == OwnerState::kSolid) kept.push_back(refs[i]);
    }
    plan.actions.push_back(set_owners(view.object, view.path, std::move(kept)));
  } else if (count(OwnerState::kWaiting) > 0 && !view.dependents.empty()) {
    // In a circle each would wait for the other: this one no longer blocks its owner.
    const bool circle = std::ranges::any_of(view.dependents, [](const Dependent& dependent) {
      return is_deleting(dependent.object) && has_finalizer(dependent.object, kForeground);
    });
    if (circle) {
      auto refs = view.object["metadata"]["ownerReferences"];
      for (size_t i = 0; i < refs.size(); ++i) refs.edit_at(i).set("blockOwnerDeletion", false);
      plan.actions.push_back(set_owners(view.object, view.path, std::move(refs)));
    }
    plan.actions.push_back(delete_as(view, "Foreground"));
  } else if (has_finalizer(view.object, kOrphan)) {
    plan.actions.push_back(delete_as(view, "Orphan"));
  } else {
    plan.actions.push_back(
        delete_as(view, has_finalizer(view.object, kForeground) ? "Foreground" : "Background"));
  }
  return plan;
}

}  // namespace skiff::control
