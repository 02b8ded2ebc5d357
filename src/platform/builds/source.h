// The source of a build, on its way from the push hook to the build's folder. What the hook sends begins with
// the commit's submodules, one a line (submodules.h); then come its files, as a tar archive.
#pragma once

#include <string>

#include "base/result.h"
#include "io/loop.h"
#include "io/task.h"
#include "net/http.h"
#include "platform/builds/limits.h"

namespace skiff::platform {

// Makes the folder, and the files `submodules` and source.tar in it. As root. The body outlives the task;
// whoever calls it removes the folder in the end.
io::Task<Result<void>> receive_source(io::Loop& loop, std::string folder, BuildLimits limits,
                                      size_t submodule_bytes, net::BodyReader& body);

}  // namespace skiff::platform
