// Where the node keeps things below its data directory. The one place that knows.
#pragma once

#include <string>

namespace skiff::node {

struct NodePaths {
  std::string root;  // DATA/node, absolute

  // Pods: one folder each, gone when the pod is.
  std::string pods() const { return root + "/pods"; }
  std::string pod(const std::string& uid) const { return pods() + "/" + uid; }
  std::string containers(const std::string& uid) const { return pod(uid) + "/containers"; }
  std::string attempts(const std::string& uid, const std::string& name) const {
    return containers(uid) + "/" + name;
  }
  std::string bundle(const std::string& uid, const std::string& name, int attempt) const {
    return attempts(uid, name) + "/" + std::to_string(attempt);
  }
  std::string volumes(const std::string& uid) const { return pod(uid) + "/volumes"; }
  std::string etc(const std::string& uid) const { return pod(uid) + "/etc"; }

  // Mounts: a mount point of its own, so that one unmount hides all of it from a container's conmon.
  std::string mounts() const { return root + "/mnt"; }
  std::string namespaces(const std::string& uid) const { return mounts() + "/ns/" + uid; }
  std::string memory_volumes(const std::string& uid) const { return mounts() + "/memory/" + uid; }

  // Images.
  std::string images() const { return root + "/images"; }
  std::string layers() const { return images() + "/layers"; }

  std::string logs() const { return root + "/logs"; }
  std::string runtime_state() const { return root + "/runtime"; }
};

}  // namespace skiff::node
