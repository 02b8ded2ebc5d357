// The default system call filter of containers.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace skiff::node {

// Refuses (EPERM) what reaches the kernel's management rather than the process's own work: mounting,
// namespaces, modules, kexec, keyrings, tracing facilities, clocks, raw I/O. A capability that a container
// was granted opens the calls which that capability governs. clone3 answers ENOSYS, so that libraries fall
// back to clone, whose flags can be checked.
json::Value make_seccomp_profile(const std::vector<std::string>& capabilities);

}  // namespace skiff::node
