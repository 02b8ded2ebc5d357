// What the host's cgroup tree looks like, and what that asks of us.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"

namespace skiff::node {

enum class CgroupLayout {
  kUnified,  // v2 only
  kLegacy,   // v1 controllers
  kHybrid,   // v1 controllers with a v2 mount beside them, which crun refuses
};

struct CgroupHost {
  CgroupLayout layout = CgroupLayout::kUnified;
  std::string unified_mount;                       // of a hybrid host: hidden from crun
  std::vector<std::string> roots;                  // every hierarchy's mount point
  std::map<std::string, std::string> controllers;  // of v1, by name: the mount point
};

// `mounts` is the text of /proc/self/mounts.
CgroupHost read_cgroup_host(const std::string& mounts);

// Removes the (empty) cgroup `path`, with its children, from every hierarchy.
void remove_cgroup(const CgroupHost& host, const std::string& path);

}  // namespace skiff::node
