// What a change of where events are stored means for those of before: events of events.k8s.io had a
// collection of their own, and are in that of v1 now.
#pragma once

#include "kube/server/objects.h"

namespace skiff::kube {

// Run before anyone is served. One that has the name of another is dropped: events last an hour.
io::Task<Result<void>> move_events(Objects& objects);

}  // namespace skiff::kube
