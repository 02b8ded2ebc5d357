// Makes and deletes pods until each ReplicaSet has its number, and keeps its status.
#pragma once

#include <memory>

#include "control/shared/context.h"

namespace skiff::control {

std::unique_ptr<Controller> make_replica_set_controller(Context context);

}  // namespace skiff::control
