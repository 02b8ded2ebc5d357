// The roles: what each process of an instance runs until it is told to stop.
#pragma once

#include "base/result.h"
#include "skiff/instance.h"

namespace skiff {

// Each blocks until SIGTERM; an error means that the role could not start.
Result<void> run_control(const Instance& instance);
Result<void> run_node(const Instance& instance);
Result<void> run_edge(const Instance& instance);
Result<void> run_platform(const Instance& instance);

}  // namespace skiff
