// Carries a plan out, in order, through the API.
#pragma once

#include "control/shared/action.h"
#include "control/shared/events.h"

namespace skiff::control {

struct Applied {
  size_t done = 0;             // actions that worked
  std::optional<Error> error;  // of the action after them
};

// The client and the recorder outlive the task.
io::Task<Applied> apply_all(kube::Client& client, EventRecorder& events, std::vector<Action> actions);

// All actions at once; the results in the same order.
io::Task<std::vector<std::optional<Error>>> apply_parallel(io::Loop& loop, kube::Client& client,
                                                           EventRecorder& events,
                                                           std::vector<Action> actions);

}  // namespace skiff::control
