// The ReplicaSet controller's decision (contract 3.10). Pure.
#pragma once

#include <vector>

#include "control/shared/action.h"

namespace skiff::control {

struct ReplicaSetView {
  Value replica_set;
  std::vector<Value> pods;  // of its namespace: owned by it, or orphans
  // Active pods of all ReplicaSets of the same owner, for the ranking of victims.
  std::vector<Value> sibling_pods;
  // False while earlier creations or deletions were not observed yet: only the status is written then.
  bool settled = true;
};
struct ReplicaSetPlan {
  std::vector<Action> claims;  // when not empty, nothing else is planned
  int64_t create = 0;          // pods to make, in slow-start batches
  std::vector<Value> victims;  // pods to delete, all at once
  std::vector<Value> active;   // owned and alive
};
ReplicaSetPlan plan_replica_set(const ReplicaSetView& view, WallTime now);

// The pod to POST; its name comes from generateName.
Value make_pod(const Value& replica_set);

struct SyncFailure {
  std::string reason, message;  // empty reason: the sync worked
};
// The status update, if anything changed, and the time of the next look for minReadySeconds.
Plan plan_replica_set_status(const Value& replica_set, const std::vector<Value>& active,
                             const SyncFailure& failure, WallTime now);

// First in the order are deleted first.
void rank_victims(std::vector<Value>& pods, const std::vector<Value>& siblings, WallTime now);

}  // namespace skiff::control
