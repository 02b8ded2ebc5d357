// Gives Services new addresses when the instance's service range has changed.
#pragma once

#include "kube/server/objects.h"

namespace skiff::kube {

// Each Service keeps its place in the range: 10.43.7.9 becomes 10.45.7.9. Fields that nobody may change are
// changed here, so before the server has clients. Nothing is written when all lie in the range.
io::Task<Result<void>> move_services(Objects& objects);

}  // namespace skiff::kube
