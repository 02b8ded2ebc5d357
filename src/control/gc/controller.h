// Deletes what lost its owners, and lets owners go that waited for their dependents.
#pragma once

#include <memory>

#include "control/shared/context.h"
#include "control/shared/resources.h"

namespace skiff::control {

std::unique_ptr<Controller> make_garbage_collector(Context context, Catalog& catalog);

}  // namespace skiff::control
