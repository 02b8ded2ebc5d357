// Deletes what lost its owners, and lets owners go that waited for their dependents.
#pragma once

#include <memory>
#include <vector>

#include "control/shared/context.h"
#include "control/shared/resources.h"

namespace skiff::control {

std::unique_ptr<Controller> make_garbage_collector(Context context, std::vector<ResourceInfo> resources);

}  // namespace skiff::control
