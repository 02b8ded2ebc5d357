// The workers of this node's pods: one for each pod object bound here, and for each pod that is still on
// disk.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "node/pod/worker.h"

namespace skiff::node {

class PodManager {
 public:
  explicit PodManager(WorkerServices services) : services_(services) {}

  // Called with every change of the node's pods.
  void on_change(const ObjectChange& change);
  // Pods that were here before the agent started, as saved. They wait for the first list of the API, whose
  // objects are newer; what it does not name is stopped. begin_leftovers() ends the wait when the API stays
  // away.
  void add_leftover(const json::Value& pod);
  void begin_leftovers();
  void on_container_exit(const ContainerKey& key);

  void evict(const std::string& uid, const std::string& message);

  size_t size() const { return workers_.size(); }
  // The pod of that uid, null when there is none.
  const json::Value* find(const std::string& uid) const;
  // The pod that the API shows under that name; one that was replaced may still be on its way out.
  const json::Value* find(const std::string& name_space, const std::string& name) const;
  std::vector<json::Value> all() const;
  // References of images that pods here use.
  std::vector<std::string> images_in_use() const;
  // Ends all workers; containers go on.
  void stop() { workers_.clear(); }

 private:
  void upsert(const json::Value& pod);
  void removed(const std::string& uid);
  void finished(const std::string& uid);
  WorkerServices services_;
  std::map<std::string, std::unique_ptr<PodWorker>> workers_;  // by uid
  std::set<std::string> listed_;                               // uids named since the last kReset
  std::map<std::string, json::Value> leftovers_;               // by uid
  bool listing_ = false;
};

}  // namespace skiff::node
