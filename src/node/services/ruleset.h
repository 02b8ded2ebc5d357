// The instance's firewall as text for nft: addresses of Services to pods, and pods to the world. Pure.
//
// One table for an instance, replaced as a whole in one transaction; established connections keep their
// translation (conntrack), so a replacement never breaks one.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "node/network/addresses.h"
#include "node/network/forwarding_switch.h"

namespace skiff::node {

struct Backend {
  std::string ip;
  uint16_t port = 0;
  auto operator<=>(const Backend&) const = default;
};

// One port of a Service with where it leads.
struct ServicePort {
  std::string ip;                // cluster IP
  std::string protocol = "tcp";  // tcp, udp, sctp
  uint16_t port = 0;
  uint16_t node_port = 0;         // 0: none
  int64_t affinity_seconds = 0;   // ClientIP session affinity; 0: none
  std::vector<Backend> backends;  // empty: connections are refused
};

// From Service and EndpointSlice objects (a slice names its service in a label). Headless and ExternalName
// services have no address and are left out. Sorted, so that equal input gives equal text. Ports times
// backends of one Service are bounded.
std::vector<ServicePort> make_service_ports(const std::vector<json::Value>& services,
                                            const std::vector<json::Value>& slices);

// What pods may reach of the machine beside cluster addresses. Restricted: of the machine itself its name
// server, what Services lead to and `open_ports`, and no link-local address (169.254.0.0/16, where clouds
// tell secrets). Open: all that the machine's own firewall lets them.
enum class PodEgress { kRestricted, kOpen };

struct RulesetInput {
  std::string instance;
  ClusterRanges ranges;
  std::vector<ServicePort> ports;
  PodEgress egress = PodEgress::kRestricted;
  std::vector<uint16_t> open_ports = {};  // TCP, of the machine
  Forwarding forwarding = {};
};
// Commands for nft: replace the table; or make it, which fails and changes nothing when it is there.
enum class TableStart { kReplace, kNew };
std::string make_ruleset(const RulesetInput& input, TableStart start = TableStart::kReplace);
std::string table_name(const std::string& instance);

}  // namespace skiff::node
