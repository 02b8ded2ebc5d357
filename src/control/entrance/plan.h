// What Ingresses and Services of type LoadBalancer say of where they are reached: at the one machine. Pure.
//
// Clients wait for it (Argo CD, `kubectl wait`). A Service answers there at its node ports.
#pragma once

#include <string>

#include "control/shared/action.h"

namespace skiff::control {

// `entrance` is an address or a name.
Plan plan_ingress_entrance(const Value& ingress, const std::string& entrance);
Plan plan_service_entrance(const Value& service, const std::string& entrance);

}  // namespace skiff::control
