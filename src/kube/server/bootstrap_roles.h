// The ClusterRoles and bindings of every cluster (contracts 2.2), those of this program's own roles among
// them. Pure.
#pragma once

#include <vector>

#include "base/json.h"

namespace skiff::kube {

std::vector<json::Value> bootstrap_cluster_roles();
std::vector<json::Value> bootstrap_cluster_role_bindings();

}  // namespace skiff::kube
