// Runs plan_deployment() for every Deployment that something changed about.
#pragma once

#include <memory>

#include "control/shared/context.h"

namespace skiff::control {

std::unique_ptr<Controller> make_deployment_controller(Context context);

}  // namespace skiff::control
