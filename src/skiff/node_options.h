// What the node agent of an instance is told: for the role, and for removing the instance.
#pragma once

#include "node/agent/agent.h"
#include "skiff/instance.h"

namespace skiff {

Result<node::AgentOptions> agent_options(const Instance& instance);

}  // namespace skiff
