// The end of roles that nobody supervises any more, or that belong to an instance whose data was deleted
// under them: they hold ports, sockets and the store of the directory that they were started with.
#pragma once

#include <string>

#include "base/result.h"

namespace skiff {

// Ends every role that runs on this data directory, its supervisor first, and waits for the end; true when
// there was one. SIGTERM, then SIGKILL; one that was stopped by a signal goes on to its end. The caller holds
// the lock of the directory, or the directory is gone: no role is any living instance's then. Timeout when
// the kernel does not let go of one.
Result<bool> end_roles_over(const std::string& data);

}  // namespace skiff
