// The arithmetic of rolling updates (contract 3.1, 3.4, 3.5, 3.7). Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "control/shared/objects.h"

namespace skiff::control {

struct Bounds {
  int64_t surge = 0, unavailable = 0;
};
// Percentages of `replicas`: surge rounds up, unavailable down; never both 0.
Bounds resolve_bounds(const Value& max_surge, const Value& max_unavailable, int64_t replicas);
// What a Deployment may have over and under its replicas; both 0 for Recreate (contract MaxSurge,
// MaxUnavailable).
Bounds deployment_bounds(const Value& deployment);

struct NewReplicas {
  int64_t desired, surge, total, current;
};
// The size of the new ReplicaSet in the next step of a rolling update.
int64_t next_new_replicas(const NewReplicas& in);

// Counts of one ReplicaSet.
struct SetCounts {
  int64_t spec = 0, available = 0;
};
struct ScaleDown {
  int64_t desired, unavailable;
  SetCounts fresh;             // the new ReplicaSet
  std::vector<SetCounts> old;  // oldest first
};
// The sizes of the old ReplicaSets after one step, in the same order.
std::vector<int64_t> next_old_replicas(const ScaleDown& in);

struct ScaledSet {
  int64_t spec = 0;
  int64_t max_replicas = 0;  // of its annotation; 0 when missing
  WallTime created{};
};
struct ProportionalScale {
  int64_t desired, surge, status_replicas;
  std::vector<ScaledSet> sets;  // the active ones
};
// The sizes after a scaling event, in the same order.
std::vector<int64_t> scale_proportionally(const ProportionalScale& in);

}  // namespace skiff::control
