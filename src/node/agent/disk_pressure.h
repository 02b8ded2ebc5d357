// What the node does when its disk runs full: first images that nobody uses go, then pods, the greediest
// first.
//
// Upstream's thresholds are shares of the disk (10 % for pods, 15 % for images). On one machine with a large
// disk that many gigabytes free are no emergency, so each share has an upper bound here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "node/agent/storage_watch.h"

namespace skiff::node {

struct DiskSpace {
  int64_t total = 0;      // bytes
  int64_t available = 0;  // bytes
};
// Of the file system of `path`; zeros when it can't be told. Blocking.
DiskSpace read_disk(const std::string& path);

// True when images from registries that no pod uses should go.
bool wants_images_collected(const DiskSpace& disk);
// True when the node has the condition DiskPressure and evicts.
bool under_disk_pressure(const DiskSpace& disk);

struct PodDiskUse {
  json::Value pod;
  DiskUsage usage;
};
struct Eviction {
  std::string uid;
  std::string message;  // of the pod's status and of its event
};
// The pod to evict, of those whose own files are worth it: what filled the disk may be none of theirs, and an
// app that wrote little would end for nothing. First one that uses more than it requested
// before one that does not, then the lower priority, then the larger use beyond its request. Nothing when no
// such pod is left that runs. Pure.
std::optional<Eviction> pick_eviction(const std::vector<PodDiskUse>& pods, const DiskSpace& disk);

}  // namespace skiff::node
