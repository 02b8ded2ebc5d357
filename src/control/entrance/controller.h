// Writes where Ingresses and Services of type LoadBalancer are reached (plan.h).
#pragma once

#include "control/shared/context.h"
#include "control/shared/reconciler.h"

namespace skiff::control {

std::unique_ptr<Controller> make_entrance_controller(Context context, std::string entrance);

}  // namespace skiff::control
