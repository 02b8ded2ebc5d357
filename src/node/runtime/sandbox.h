// The namespaces that the containers of a pod share: network, ipc, uts. Kept alive by bind mounts, no
// process.
//
// Blocking, for run_blocking(): each takes a few milliseconds. The calling thread enters the new namespaces
// for a moment and returns; the process never leaves its own.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"

namespace skiff::node {

// Makes `folder` hold net (unless `host_network`), ipc and uts. `configure_network` runs inside the new
// network namespace, given its descriptor. On failure nothing stays mounted.
enum class PodNetwork { kOwn, kHost };
Result<void> make_sandbox(const std::string& folder, const std::string& hostname, PodNetwork network,
                          const std::function<Result<void>(int net_namespace)>& configure_network);

// True when the folder holds living namespaces: false after a reboot.
bool sandbox_alive(const std::string& folder);

// Runs `look` inside the pod's network. NotFound when the folder holds none: the pod uses the node's, or it
// is gone.
Result<void> visit_network(const std::string& folder, const std::function<Result<void>()>& look);

// Unmounts and removes the folder. Fine when it is not there.
Result<void> remove_sandbox(const std::string& folder);

// Makes `path` a private mount point of its own unless it is one.
Result<void> make_mount_point(const std::string& path);

}  // namespace skiff::node
