// The stack of an instance: where its parts lie, and `skiff stack:update`.
#pragma once

#include <string>

#include "base/result.h"
#include "node/images/stack_update.h"
#include "skiff/instance.h"

namespace skiff {

node::StackOptions stack_options(const Instance& instance);
node::StackUpdateOptions update_options(const Instance& instance);
// Says what it does and what has changed. The instance may be up or down.
Result<void> update_stack(const std::string& data);

}  // namespace skiff
