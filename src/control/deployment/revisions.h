// Revisions, annotations and the identity of templates (contract 3.3). Pure.
#pragma once

#include <optional>
#include <vector>

#include "control/shared/objects.h"

namespace skiff::control {

inline constexpr const char* kRevision = "deployment.kubernetes.io/revision";
inline constexpr const char* kRevisionHistory = "deployment.kubernetes.io/revision-history";
inline constexpr const char* kDesiredReplicas = "deployment.kubernetes.io/desired-replicas";
inline constexpr const char* kMaxReplicas = "deployment.kubernetes.io/max-replicas";
inline constexpr const char* kRollbackTo = "deprecated.deployment.rollback.to";
inline constexpr const char* kHashLabel = "pod-template-hash";

int64_t revision_of(const Value& object);
int64_t highest_revision(const std::vector<Value>& sets);
// The ReplicaSet of this revision; 0 means the one before the newest.
std::optional<Value> find_rollback_target(const std::vector<Value>& sets, int64_t revision);
// A pod template as its Deployment has it.
Value without_hash(Value pod_template);
// Oldest first, then by name.
void sort_by_age(std::vector<Value>& sets);
// The annotations a new ReplicaSet gets from its Deployment; true when `set` changed.
bool copy_annotations(const Value& deployment, Value& set);
// Gives `set` this revision if its own is smaller; the earlier one goes into the history. True when changed.
bool raise_revision(Value& set, int64_t revision);
// True when the annotations changed.
bool annotate_replicas(Value& set, int64_t desired, int64_t max);
Value make_replica_set(const Value& deployment, int64_t revision, int64_t replicas, int64_t max);

}  // namespace skiff::control
