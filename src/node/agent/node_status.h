// The Node object of this machine: pure, from facts read beforehand.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/time.h"
#include "node/images/image_service.h"
#include "node/network/addresses.h"

namespace skiff::node {

struct MachineFacts {
  int64_t cpu_milli = 1000;
  int64_t memory_bytes = 0;
  int64_t disk_bytes = 0;
  int64_t available_memory_bytes = 0;
  int64_t available_disk_bytes = 0;
  std::string machine_id, boot_id, kernel, hostname, os_image, architecture;
};
// From /proc, /etc/os-release and the file system of `data`. Blocking.
MachineFacts read_machine(const std::string& data);

// How many pods fit on a machine: as many as a dyno's request of memory fits into it, never fewer than
// upstream's 110 and never more than a bridge has ports. What pods ask for is counted besides, by the
// scheduler.
constexpr int64_t kLeastPods = 110;
constexpr int64_t kMostPods = 1000;             // the kernel's bound of a bridge is 1,024
constexpr int64_t kBytesForEachPod = 64 << 20;  // of memory
int64_t count_pods(int64_t memory_bytes);

struct NodeStatusInput {
  std::string name, address;
  MachineFacts machine;
  bool disk_pressure = false;
  Subnet pods;
  uint16_t agent_port = 0;
  std::vector<Image> images;
  std::string runtime_version;
};
json::Value make_node(const NodeStatusInput& input, WallTime now);
// Conditions keep their transition times from `old` while their status stays.
json::Value make_node_status(const NodeStatusInput& input, const json::Value& old, WallTime now);

}  // namespace skiff::node
