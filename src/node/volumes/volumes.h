// The volumes of a pod on disk: prepared before its sandbox, refreshed while it runs, removed with it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "io/loop.h"
#include "node/api/cluster_api.h"
#include "node/pod/env.h"
#include "node/runtime/node_paths.h"
#include "node/volumes/payload.h"

namespace skiff::node {

struct PreparedVolumes {
  std::map<std::string, std::string> paths;  // volume name → on the host
  std::vector<std::string> memory;           // mounts of emptyDir volumes in memory
};

class VolumeManager {
 public:
  VolumeManager(io::Loop& loop, ClusterApi& api, NodePaths paths, NodeIdentity node)
      : loop_(loop), api_(api), paths_(std::move(paths)), node_(std::move(node)) {}

  // Idempotent: what is there stays. The error is the text of the FailedMount event.
  io::Task<Result<PreparedVolumes>> prepare(json::Value pod);
  // Writes changed ConfigMaps and Secrets and new tokens. A volume that can't be made, as when its ConfigMap
  // was deleted, stays as it is.
  io::Task<void> refresh(json::Value pod);
  // Unmounts the volumes in memory; the folders go with the pod's. Blocking.
  static Result<void> release(const NodePaths& paths, const std::string& uid);
  // Forgets the tokens of a pod that is no more.
  void forget(const std::string& uid);

  // ConfigMaps and Secrets by name; null for those that do not exist. Other failures are errors.
  io::Task<Result<ConfigObjects>> fetch(std::string name_space, ObjectNames names);

 private:
  io::Task<Result<void>> write_volume(json::Value pod, json::Value volume);
  // A token as it was given; kept until most of its time is over, as upstream.
  struct KeptToken {
    std::string text;
    MonotonicTime due{}, expires{};
  };
  io::Task<Result<Tokens>> fetch_tokens(json::Value pod, json::Value volume);
  io::Task<Result<KeptToken>> request_token(json::Value pod, std::string audience, int64_t seconds);
  io::Loop& loop_;
  ClusterApi& api_;
  NodePaths paths_;
  NodeIdentity node_;
  std::map<std::string, std::map<std::string, KeptToken>> tokens_;  // by pod uid, then volume and request
};

}  // namespace skiff::node
