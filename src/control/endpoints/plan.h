// The EndpointSlices and Endpoints of one Service, from its pods (contract 5). Pure.
#pragma once

#include <vector>

#include "control/shared/action.h"

namespace skiff::control {

struct EndpointsView {
  Value service;
  std::vector<Value> pods;    // that match its selector
  std::vector<Value> slices;  // of this service, by this controller
  Value endpoints;            // null: none
};
Plan plan_endpoints(const EndpointsView& view);

}  // namespace skiff::control
