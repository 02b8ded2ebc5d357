// Endpoints that a user wrote for a Service without selector, as EndpointSlices: what nodes and edge read.
// Pure.
#pragma once

#include <vector>

#include "control/shared/action.h"

namespace skiff::control {

struct MirrorView {
  Value service;
  Value endpoints;            // null: none
  std::vector<Value> slices;  // of this service, by mirroring
};
Plan plan_mirror(const MirrorView& view);

}  // namespace skiff::control
