// Status, conditions and the progress deadline of a Deployment (contract 3.8). Pure.
#pragma once

#include <optional>
#include <vector>

#include "control/shared/objects.h"

namespace skiff::control {

struct DeploymentSets {
  const Value* fresh = nullptr;  // the new ReplicaSet, if any
  std::vector<Value> all;
};

bool has_deadline(const Value& deployment);
Value make_condition(std::string_view type, std::string_view status, std::string_view reason,
                     std::string message, WallTime now);
// Same status and reason: unchanged. Same status: keeps lastTransitionTime. A changed one moves to the end.
void set_condition(Value& status, Value condition);
void remove_condition(Value& status, std::string_view type);

// Counters and the Available condition.
Value next_status(const Value& deployment, const DeploymentSets& sets, WallTime now);
// Also Progressing and ReplicaFailure, against the stored status.
Value next_rollout_status(const Value& deployment, const DeploymentSets& sets, WallTime now);
// Complete by this status.
bool is_complete(const Value& deployment, const Value& status);
// When to look at the deadline again, if it is running.
std::optional<Duration> deadline_left(const Value& deployment, const Value& status, WallTime now);

}  // namespace skiff::control
