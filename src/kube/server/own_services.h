// The Services that every cluster has: default/kubernetes, which leads pods to this server, and
// kube-system/kube-dns, at whose address the node's name server listens.
//
// They have no pods: their Endpoints and EndpointSlices are written here, and again when somebody deleted or
// changed them.
#pragma once

#include "io/task.h"
#include "kube/server/objects.h"

namespace skiff::kube {

// Writes what is missing or differs; nothing when all is right. Safe to repeat.
io::Task<Result<void>> keep_own_services(Objects& objects);

}  // namespace skiff::kube
