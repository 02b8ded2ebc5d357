// Which children a controller owns: adoption of matching orphans, release of those that match no more
// (contract 3.3.1 and 3.10.1). Pure.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "control/shared/action.h"

namespace skiff::control {

struct Claim {
  std::vector<Value> owned;
  std::vector<Action> actions;  // adoptions and releases; confirm first
};

struct Claimer {
  Value owner;
  std::string owner_path, api_version, kind;
  std::string child_api, child_plural;
  std::function<bool(const Value& labels)> matches;
};
Claim plan_claim(const Claimer& claimer, const std::vector<Value>& candidates);

}  // namespace skiff::control
