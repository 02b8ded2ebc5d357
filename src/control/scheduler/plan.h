// Where a pod goes: the nodes that fit, the emptiest of them, or the words that say why none does. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "control/shared/objects.h"

namespace skiff::control {

struct Usage {
  int64_t milli_cpu = 0;
  int64_t memory = 0;  // bytes
  int64_t pods = 0;
  // Everything else by name: ephemeral-storage (bytes), nvidia.com/gpu.
  std::map<std::string, int64_t> others = {};
  // Adds `part`, or takes it away when `sign` is -1.
  void add(const Usage& part, int sign);
};
// What a pod asks for: its containers together, or its largest init container.
Usage requests_of(const Value& pod);

// A node as placing sees it, read once for each change of the node and not for each pod.
struct Room {
  explicit Room(Value node);
  Room() = default;
  Value node;
  Usage allocatable;
  Usage used;  // by the pods that are already there
};

struct Placement {
  std::string node;     // empty: none fits
  std::string message;  // "0/2 nodes are available: 1 Insufficient cpu, ..."
};
// `rooms` by name of the node.
Placement place_pod(const Value& pod, const std::map<std::string, Room>& rooms);

// Whether a pod that fitted nowhere may fit now that the node changed from `before` to `after`.
bool gives_hope(const Value& before, const Value& after);

}  // namespace skiff::control
