// Whether the machine forwards packets between its interfaces (net.ipv4.ip_forward): pods need it, and a
// machine that did not before must be no router for its neighbours, neither while instances are here nor
// after the last has gone.
//
// A record in /run outlives every instance but no reboot, as the switch does: it is there exactly where Skiff
// turned forwarding on, and holds the interfaces that the machine had then. Under a lock, for instances come
// and go side by side. Blocking.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace skiff::node {

struct ForwardingFiles {
  std::string setting = "/proc/sys/net/ipv4/ip_forward";
  std::string record = "/run/skiff/interfaces";
  std::string interfaces = "/sys/class/net";  // a folder with an entry for each
};

struct Forwarding {
  bool ours = false;                // the machine did not forward before instances came
  std::vector<std::string> before;  // interfaces that it had then, when it is ours
};

// Lets the machine forward what pods send. After the instance's bridge was made: it keeps forwarding on.
Result<Forwarding> turn_on_forwarding(const ForwardingFiles& files = {});
// After an instance's bridge is gone: when it was the last, the machine forwards no more if it did not
// before. Not where a bridge that is not Skiff's came meanwhile: its guests (Docker's, a hypervisor's) rely
// on it.
Result<void> turn_off_forwarding(const ForwardingFiles& files = {});

}  // namespace skiff::node
