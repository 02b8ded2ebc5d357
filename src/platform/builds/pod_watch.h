// Follows one pod until it has come to a phase. The watch ends with the object.
#pragma once

#include <string>
#include <vector>

#include "io/scope.h"
#include "io/sync.h"
#include "kube/client/client.h"

namespace skiff::platform {

class PodWatch {
 public:
  // The pod exists already. Loop and API outlive the watch.
  PodWatch(io::Loop& loop, kube::Client& api, const std::string& name_space, const std::string& name);
  // The pod as soon as it is in one of the phases; NotFound when somebody deleted it.
  io::Task<Result<json::Value>> reach(std::vector<std::string> phases);
  // What holds the pod up, for people: "waits for room: 0/1 nodes are available"; "" when the cluster says
  // nothing.
  std::string what_it_waits_for() const;
  // As pods do for a while: nothing holds it up.
  bool is_being_made() const;
  // No node has room for it.
  bool lacks_room() const { return refused_place() != nullptr; }
  // Why its image can't be had; "" when it can, or when that is not known yet.
  std::string image_failure() const;
  bool is_gone() const { return gone_; }
  // The pod runs, or has ended.
  bool has_begun() const;
  // Until something is heard of the pod, or the time is over.
  io::Task<void> change(Duration limit);

 private:
  void on_change(const kube::ObjectChange& change);
  // What the scheduler says of a pod that it found no place for; null when it did.
  const json::Value* refused_place() const;
  static io::Task<Result<void>> next_change(io::Event* changed);
  io::Loop& loop_;
  io::Event changed_;
  json::Value pod_;
  bool gone_ = false;
  io::TaskScope scope_;
};

}  // namespace skiff::platform
