// Removes Events an hour after they were last counted: else they would fill the store.
#pragma once

#include <memory>

#include "control/shared/context.h"

namespace skiff::control {

std::unique_ptr<Controller> make_event_expiry(Context context);

}  // namespace skiff::control
