// Gives every living namespace its ServiceAccount "default" and, when there is a CA, the ConfigMap
// kube-root-ca.crt.
#pragma once

#include <memory>

#include "control/shared/context.h"

namespace skiff::control {

// `root_ca` is the PEM text of the cluster's CA.
std::unique_ptr<Controller> make_service_account_controller(Context context, std::string root_ca);

}  // namespace skiff::control
