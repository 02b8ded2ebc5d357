// Gets the pods' traffic past a host firewall that drops what it forwards (Docker, ufw and others set that
// policy with iptables; no rule of another table can overrule it).
#pragma once

#include <string>

#include "io/loop.h"
#include "io/task.h"

namespace skiff::node {

// True when the output of "iptables -S FORWARD" says that forwarded packets are dropped by default. Pure.
bool drops_forwarded(const std::string& rules);

// Accepts what the bridge sends and receives, where the policy is to drop; does nothing elsewhere.
// Idempotent.
io::Task<void> allow_forwarding(io::Loop& loop, std::string bridge);
io::Task<void> forget_forwarding(io::Loop& loop, std::string bridge);

}  // namespace skiff::node
