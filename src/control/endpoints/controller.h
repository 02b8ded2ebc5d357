// Keeps EndpointSlices and Endpoints of Services with a selector, and mirrors Endpoints of the others.
#pragma once

#include <memory>

#include "control/shared/context.h"

namespace skiff::control {

std::unique_ptr<Controller> make_endpoints_controller(Context context);

}  // namespace skiff::control
