// What the garbage collector does about one object (contract 2.5). Pure.
#pragma once

#include <vector>

#include "control/shared/action.h"

namespace skiff::control {

enum class OwnerState {
  kSolid,    // exists
  kAbsent,   // gone, or another object of its name
  kWaiting,  // being deleted, and waits for its dependents
};
struct Dependent {
  Value object;
  std::string path;
};
struct GarbageView {
  Value object;
  std::string path;
  std::vector<OwnerState> owners;  // one for each of its ownerReferences
  std::vector<Dependent> dependents;
};
// `dependents` are to be looked at next when the object waits for them.
Plan plan_garbage(const GarbageView& view);

bool has_finalizer(const Value& object, std::string_view name);
inline constexpr const char* kForeground = "foregroundDeletion";
inline constexpr const char* kOrphan = "orphan";

}  // namespace skiff::control
