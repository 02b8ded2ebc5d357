// `skiff remove`: takes instances off the machine.
#pragma once

#include <string>

#include "base/result.h"

namespace skiff {

// Takes a stopped instance's containers, networks, mounts and firewall table off the machine; its data stays.
// Unavailable while it runs.
Result<void> remove(const std::string& data);
// The same for all instances whose data directory is gone, or says nothing any more: found by their claims
// (machine.h), their bridges and their cgroups. Stops what still runs of them.
Result<void> remove_leftovers();

}  // namespace skiff
