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
};
// What a pod asks for: its containers together, or its largest init container.
Usage requests_of(const Value& pod);

struct Placement {
  std::string node;     // empty: none fits
  std::string message;  // "0/2 nodes are available: 1 Insufficient cpu, ..."
};
// `used` counts the pods that are already on each node.
Placement place_pod(const Value& pod, const std::vector<Value>& nodes,
                    const std::map<std::string, Usage>& used);

}  // namespace skiff::control
