// Empties namespaces that are being deleted, then lets them go.
#pragma once

#include <memory>

#include "control/shared/context.h"
#include "control/shared/resources.h"

namespace skiff::control {

std::unique_ptr<Controller> make_namespace_controller(Context context, Catalog& catalog);

}  // namespace skiff::control
