// Watches nodes and their leases; plan_node() decides.
#pragma once

#include <memory>

#include "control/shared/context.h"

namespace skiff::control {

std::unique_ptr<Controller> make_node_controller(Context context);

}  // namespace skiff::control
