// The volumes of a pod on disk: prepared before its sandbox, refreshed while it runs, removed with it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "io/loop.h"
#include "io/sync.h"
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
      : loop_(loop),
        api_(api),
        paths_(std::move(paths)),
        node_(std::move(node)),
        turns_(std::make_shared<io::Channel<int>>(loop)) {
    for (int i = 0; i < kReadersAtOnce; ++i) turns_->push(i);
  }

  // Idempotent: what is there stays. The error is the text of the FailedMount event.
  io::Task<Result<PreparedVolumes>> prepare(json::Value pod);
  // Writes changed ConfigMaps and Secrets and new tokens. A volume that can't be made, as when its ConfigMap
  // was deleted, stays as it is.
  io::Task<void> refresh(json::Value pod);
  // Unmounts the volumes in memory; the folders go with the pod's. Blocking.
  static Result<void> release(const NodePaths& paths, const std::string& uid);
  // Forgets the tokens of a pod that is no more.
  void forget(const std::string& uid);

  // ConfigMaps and Secrets by name; null for those that do not exist. Other failures are errors, and
  // InvalidArgument are more of them, or larger ones, than the node reads at once for a pod.
  io::Task<Result<ConfigObjects>> fetch(std::string name_space, ObjectNames names);

  // Waits for a place among those that read ConfigMaps and Secrets: so many pods at once have them in memory.
  // Held until they are let go; it may outlive this manager.
  class Turn {
   public:
    Turn(std::shared_ptr<io::Channel<int>> turns, int number) : turns_(std::move(turns)), number_(number) {}
    ~Turn() {
      if (turns_) turns_->push(number_);
    }
    Turn(Turn&&) = default;

   private:
    std::shared_ptr<io::Channel<int>> turns_;
    int number_;
  };
  io::Task<Turn> wait_for_turn();

 private:
  static constexpr int kReadersAtOnce = 4;  // as many as the loop's pool has threads

  // What the files take; `room` is what they may.
  io::Task<Result<size_t>> write_volume(json::Value pod, json::Value volume, size_t room);
  io::Task<Result<json::Value>> get_object(std::string path, size_t* bytes);
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
  std::shared_ptr<io::Channel<int>> turns_;
  std::map<std::string, std::map<std::string, KeptToken>> tokens_;  // by pod uid, then volume and request
};

}  // namespace skiff::node
