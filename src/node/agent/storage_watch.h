// Keeps pods within their disk limits: ephemeral-storage limits of containers and sizeLimit of emptyDir
// volumes.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "node/runtime/node_paths.h"

namespace skiff::node {

// True when the pod has a limit worth measuring for.
bool has_disk_limit(const json::Value& pod);

struct DiskUsage {
  std::map<std::string, int64_t> containers;  // writable layers and logs, by container
  std::map<std::string, int64_t> volumes;     // emptyDir volumes on disk, by name
  int64_t files = 0;    // /etc/hosts, termination messages and the like: counted for the pod, not a container
  int64_t entries = 0;  // names of files and folders
  bool too_many = false;  // there are more of them than are counted, and so more bytes
  bool too_deep = false;  // there are more levels of folders than are counted
};
// Of a pod, counted in a few seconds. A file may have many names, so bytes don't bound them.
constexpr int64_t kMaxCountedEntries = 4 << 20;
// Blocking: walks the pod's folders, `most` names in all.
DiskUsage measure_disk(const NodePaths& paths, const json::Value& pod, int64_t most = kMaxCountedEntries);

// The message to evict with, nothing while the pod keeps within its limits. Pure.
std::optional<std::string> find_disk_excess(const json::Value& pod, const DiskUsage& usage);

}  // namespace skiff::node
