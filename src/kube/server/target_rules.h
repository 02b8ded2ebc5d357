// What a written object says of its place and of the state that its writer saw (contracts 2.2). Pure.
#pragma once

#include "kube/server/objects.h"

namespace skiff::kube {

// The object belongs to where it is written to; fills in the namespace.
Result<void> fit_to_target(const Target& target, json::Value& object);
// Revision and UID of `after` are those of `before`, which is null when there is none.
Result<void> check_seen(const Target& target, const json::Value& after, const json::Value& before);
// Some kinds are not updated blindly.
Result<void> check_has_revision(const Target& target, const json::Value& object);

}  // namespace skiff::kube
