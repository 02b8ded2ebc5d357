// What a namespace says while it is being deleted: what was found, what is left and what holds it. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "control/shared/objects.h"

namespace skiff::control {

// What one round of emptying a namespace found.
struct Remains {
  std::map<std::string, int64_t> objects;     // by resource, "pods." or "deployments.apps"
  std::map<std::string, int64_t> finalizers;  // by finalizer: the objects that carry it
  std::vector<std::string> failures;          // of listing and deleting
};

// The conditions with these findings; a condition that says the same keeps its time.
Value namespace_conditions(const Value& before, const Remains& remains, WallTime now);

}  // namespace skiff::control
