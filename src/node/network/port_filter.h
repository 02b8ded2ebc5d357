// What may come into the bridge from a pod, as text for nft: IPv4 and ARP that carry the pod's own addresses.
// So no pod speaks for its neighbours or for the gateway, be it by ARP, by a false source address or by a
// frame that moves a neighbour's address to its port; and nothing of IPv6, router advertisements among it,
// reaches the host. Pure.
#pragma once

#include <string>
#include <vector>

#include "node/network/netlink.h"

namespace skiff::node {

// The link-layer address of the interface that has an address: it follows from it, so that it need not be
// kept.
Mac mac_of(Ipv4 address);
std::string format_mac(const Mac& mac);

struct PodPort {
  std::string veth;  // the host's end
  Ipv4 address = 0;
};

// Commands for nft: replace the table, let a port in, forget one. The table is one of the family `bridge`.
std::string make_port_filter(const std::string& instance, const std::vector<PodPort>& ports);
std::string allow_port(const std::string& instance, const PodPort& port);
std::string forget_port(const std::string& instance, const PodPort& port);
std::string port_filter_table(const std::string& instance);
// Removes the table; fine when it is not there.
std::string remove_port_filter(const std::string& instance);

}  // namespace skiff::node
