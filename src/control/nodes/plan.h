// The health of a node as the control plane sees it (contract 4.8): silent nodes become Unknown and tainted.
// Pure.
#pragma once

#include <vector>

#include "control/shared/action.h"

namespace skiff::control {

struct NodeView {
  Value node, lease;        // lease null: none seen
  std::vector<Value> pods;  // on this node
};
Plan plan_node(const NodeView& view, WallTime now);

}  // namespace skiff::control
