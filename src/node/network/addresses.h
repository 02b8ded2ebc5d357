// Pod addresses: which are taken, and the text form of addresses and subnets.
#pragma once

#include <optional>
#include <set>
#include <vector>

#include "node/network/netlink.h"

namespace skiff::node {

// Hands out addresses of a subnet in turn, so that a freed one is not used again at once (a client may still
// have connections to the pod that had it). The network, gateway and broadcast addresses are never given.
class AddressPool {
 public:
  explicit AddressPool(Subnet subnet) : subnet_(subnet), next_(subnet.base + 2) {}
  Ipv4 gateway() const { return subnet_.base + 1; }
  const Subnet& subnet() const { return subnet_; }
  // ResourceExhausted when all are taken.
  Result<Ipv4> take();
  // Marks an address of an adopted pod; false when it is taken or not of this subnet.
  bool reserve(Ipv4 address);
  void release(Ipv4 address) { taken_.erase(address); }

 private:
  Subnet subnet_;
  Ipv4 next_;
  std::set<Ipv4> taken_;
};

// The ranges of one instance.
struct ClusterRanges {
  Subnet pods;      // /16
  Subnet services;  // /16; .0.1 is the API server, .0.10 the cluster DNS
};
// True when none of the others, default routes aside, overlaps one of them.
bool are_free(const ClusterRanges& ranges, const std::vector<Subnet>& others);
// The first pair 10.(42+2k).0.0/16 and 10.(43+2k).0.0/16 that nobody else has: `taken` are routes of the host
// and ranges of other instances.
Result<ClusterRanges> pick_ranges(const std::vector<Subnet>& taken);

}  // namespace skiff::node
