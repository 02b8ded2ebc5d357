// The health of a node as the control plane sees it (contract 4.8): silent nodes become Unknown and tainted,
// and pods that do not tolerate a NoExecute taint are evicted. Pure.
#pragma once

#include <vector>

#include "control/shared/action.h"

namespace skiff::control {

struct NodeView {
  Value node, lease;        // lease null: none seen
  std::vector<Value> pods;  // on this node
  WallTime driven_since{};  // when its NoExecute taints were first seen, for those that do not say it
};
// It has a NoExecute taint.
bool is_driving(const Value& node);
Plan plan_node(const NodeView& view, WallTime now);

// Pods bound to a node that is not registered since `since`: after a while nobody will ever end them, and
// they are removed at once.
Plan plan_lost_pods(const std::vector<Value>& pods, WallTime since, WallTime now);

}  // namespace skiff::control
