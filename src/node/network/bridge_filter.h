// Keeps the kernel's port filter (port_filter.h) in step with the pods' ports.
//
// Where the kernel can't filter in bridges, pods are served all the same and trust each other's word. That is
// so only while no filter is there: one that is there drops all frames of a port it does not know, so a port
// that could not be let in must not come up.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "node/network/port_filter.h"
#include "node/services/firewall.h"

namespace skiff::node {

// Blocking; from any thread.
class BridgeFilter {
 public:
  BridgeFilter(std::string instance, std::shared_ptr<Firewall> firewall)
      : instance_(std::move(instance)), firewall_(std::move(firewall)) {}
  // Replaces the filter by one for these ports.
  void open(const std::vector<PodPort>& ports);
  // An error when a filter is there and does not know the port.
  Result<void> allow(const PodPort& port);
  void forget(const PodPort& port);

 private:
  Result<void> replace();

  const std::string instance_;
  std::mutex mutex_;
  std::shared_ptr<Firewall> firewall_;
  std::map<std::string, PodPort> ports_;  // by interface
  bool made_ = false;                     // this agent has made the filter
};

}  // namespace skiff::node
