// What a CustomResourceDefinition's status says: which names it got, whether it is served, and that it is
// going. Pure.
#pragma once

#include "base/time.h"
#include "kube/schema/schema.h"

namespace skiff::kube {

// Holds a deleted definition until its objects are gone.
constexpr std::string_view kCustomCleanup = "customresourcecleanup.apiextensions.k8s.io";

// Status for a definition about to be stored; `before` is the stored one or null. Names that another kind of
// the group has are not accepted, and the definition is not established. Conditions of others stay as the
// definition has them.
json::Value definition_status(const json::Value& definition, const json::Value& before,
                              const Registry& registry, WallTime now);
bool is_established(const json::Value& definition);
// A definition that is deleted for the first time: the finalizer and the condition Terminating.
void mark_terminating(json::Value& definition, WallTime now);
// What this server stores but does not do, as warnings for whoever writes the definition.
std::vector<std::string> definition_warnings(const json::Value& definition);

}  // namespace skiff::kube
