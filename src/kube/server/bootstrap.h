// What exists in every cluster before its first client (contracts 2.2): namespaces, roles, the API's own
// Service.
#pragma once

#include "kube/server/objects.h"

namespace skiff::kube {

// Creates what is missing; leaves alone what is there.
io::Task<Result<void>> bootstrap_objects(Objects& objects);

}  // namespace skiff::kube
