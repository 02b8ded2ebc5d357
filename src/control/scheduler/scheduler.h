// Binds pods without a node to the node that place_pod() chooses.
//
// Decisions are made one after another against the cache and what was bound but is not seen yet, so two pods
// never take the same room.
#pragma once

#include <memory>

#include "control/shared/context.h"

namespace skiff::control {

std::unique_ptr<Controller> make_scheduler(Context context);

}  // namespace skiff::control
