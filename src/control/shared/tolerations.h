// Which taints of a node a pod puts up with (contract 4.8). Pure.
#pragma once

#include <optional>

#include "control/shared/objects.h"

namespace skiff::control {

bool tolerates(const Value& toleration, const Value& taint);
bool pod_tolerates(const Value& pod, const Value& taint);

// How long a pod may stay on a node with these NoExecute taints, from the moment they are there: nothing for
// ever, zero to leave at once.
std::optional<Duration> time_to_stay(const Value& pod, const std::vector<Value>& taints);

}  // namespace skiff::control
