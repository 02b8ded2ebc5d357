// Empties namespaces that are being deleted, then lets them go.
#pragma once

#include <memory>
#include <vector>

#include "control/shared/context.h"
#include "control/shared/resources.h"

namespace skiff::control {

std::unique_ptr<Controller> make_namespace_controller(Context context, std::vector<ResourceInfo> resources);

}  // namespace skiff::control
