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

enum class PodNetwork { kOwn, kHost };
// How a pod's network is connected; nothing to do for a pod that uses the host's.
struct NetworkSteps {
  std::function<Result<void>(int net_namespace)> inside;  // in the new network, given its descriptor
  std::function<Result<void>()> outside;                  // then, where the caller was
};
// Makes `folder` hold net (unless PodNetwork::kHost), ipc and uts. It counts as alive from the last step on,
// when all else is done: what a kill leaves before that is no sandbox, and is removed by whoever makes one
// there again. On failure nothing stays mounted.
Result<void> make_sandbox(const std::string& folder, const std::string& hostname, PodNetwork network,
                          const NetworkSteps& steps);

// True when the folder holds living namespaces that were set up to the end: false after a reboot.
bool sandbox_alive(const std::string& folder);

// Runs `look` inside the pod's network. NotFound when the folder holds none: the pod uses the node's, or it
// is gone.
Result<void> visit_network(const std::string& folder, const std::function<Result<void>()>& look);

// Unmounts and removes the folder. Fine when it is not there.
Result<void> remove_sandbox(const std::string& folder);

// Makes `path` a private mount point of its own unless it is one.
Result<void> make_mount_point(const std::string& path);

}  // namespace skiff::node
