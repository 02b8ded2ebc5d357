// Gets the pods' traffic past a host firewall that drops what it forwards (Docker, ufw and others set that
// policy with iptables; no rule of another table can overrule it).
#pragma once

#include <string>
#include <vector>

#include "io/loop.h"
#include "io/task.h"

namespace skiff::node {

// True when the output of "iptables -S FORWARD" says that forwarded packets are dropped by default. Pure.
bool drops_forwarded(const std::string& rules);

// The rules the chain needs, as iptables prints them: "-A FORWARD …". Pods may open connections to
// everywhere; to them come only answers and what was sent to a node port. A neighbour that routes packets to
// the pods' addresses or to the Services' through this host gets what the host's policy says. Pure.
std::vector<std::string> forwarding_rules(const std::string& bridge, const std::string& services);
// The lines of "iptables -S FORWARD" that name the bridge. Pure.
std::vector<std::string> rules_of_bridge(const std::string& rules, const std::string& bridge);

// Sets these rules where the policy is to drop, in place of any others of this bridge; does nothing
// elsewhere. `services` is the range of their addresses. Idempotent.
io::Task<void> allow_forwarding(io::Loop& loop, std::string bridge, std::string services);
io::Task<void> forget_forwarding(io::Loop& loop, std::string bridge);

}  // namespace skiff::node
