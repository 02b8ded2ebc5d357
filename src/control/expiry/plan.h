// Which Events are old enough to go (contract 3.12: an hour after they were last counted). Pure.
#pragma once

#include <vector>

#include "control/shared/action.h"

namespace skiff::control {

Plan plan_expiry(const std::vector<Value>& events, WallTime now);

}  // namespace skiff::control
