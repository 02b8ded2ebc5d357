// pods/log: asks the node agent and passes its stream on.
#pragma once

#include "kube/server/routes.h"

namespace skiff::kube {

io::Task<void> serve_log(Exchange& exchange);

}  // namespace skiff::kube
