// The network of the instance's pods: one bridge, a veth pair for each pod, an address from the pool.
//
// Names carry the instance's id, so that instances side by side never meet. The bridge's address is the pods'
// gateway. A pod's own address is a /32: all its traffic, to its neighbours too, is routed by the node, so
// that the answer to a translated connection (a Service) always comes back through the translator.
#pragma once

#include <string>
#include <vector>

#include "node/network/addresses.h"

namespace skiff::node {

struct PodNetworkOptions {
  std::string instance;  // at most 6 characters: interface names have room for 15
  ClusterRanges ranges;
};

std::string bridge_name(const std::string& instance);
// What the host's ends of all pods' interfaces begin with.
std::string veth_prefix(const std::string& instance);
// From the pod's uid; stable, so that a leftover of the same pod is found.
std::string veth_name(const std::string& instance, const std::string& pod_uid);

// Makes the bridge, gives it the gateway's and the DNS address. Idempotent. Blocking.
Result<void> make_bridge(const PodNetworkOptions& options);

// Joins the namespace to the bridge with `address`; called from inside that namespace, `host` opened outside.
Result<void> connect_pod(Netlink& host, int bridge_index, const std::string& veth, int net_namespace,
                         Ipv4 address, const Subnet& subnet);
// The host's end, after connect_pod(): without IPv6, and up.
Result<void> bring_up_port(const std::string& veth);
// Lets a pod reach itself through a Service where the host filters bridged packets (br_netfilter): they are
// then translated inside the bridge, which by itself never sends a packet back to where it came from.
Result<void> allow_hairpin(const std::string& veth);
// Deletes every interface of the instance. Blocking.
Result<void> remove_bridge(const std::string& instance);
// For a pod that an older version connected: its interface gets the address that the port filter knows
// (port_filter.h). Called from inside its namespace.
Result<void> set_pod_mac(Ipv4 address);
// Host part of a pod's removal.
Result<void> disconnect_pod(const std::string& veth);

// Where the host's routes lead, but for those through the instance's own bridge.
Result<std::vector<Subnet>> host_routes(const std::string& instance);
// True when the instance's bridge is there.
bool has_bridge(const std::string& instance);

}  // namespace skiff::node
