// The Deployment controller's decision: one sync of one Deployment (contract 3.2 to 3.9). Pure.
#pragma once

#include <vector>

#include "control/shared/action.h"

namespace skiff::control {

struct DeploymentView {
  Value deployment;
  std::vector<Value> replica_sets;  // of its namespace: owned by it, or orphans
  std::vector<Value> pods;          // owned by those ReplicaSets; only Recreate looks at them
};

// Status updates also carry the revision annotation, as upstream's do.
Plan plan_deployment(const DeploymentView& view, WallTime now);

// A ReplicaSet of the new one's name exists: continue with it (nothing to do) or count the collision.
Plan plan_collision(const Value& deployment, const Value& existing);

// Creating the new ReplicaSet failed.
Plan plan_create_failure(const Value& deployment, std::string message, WallTime now);

// The name suffix of a template: at most 10 characters of the safe alphabet.
std::string template_hash(const Value& pod_template, int64_t collisions);
bool same_template(const Value& a, const Value& b);

}  // namespace skiff::control
