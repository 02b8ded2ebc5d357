// Events about pods and the node: repeated ones are counted in one object, as upstream's recorder does.
//
// Never blocks the caller and never fails it: an event that can't be written is dropped with a log line.
#pragma once

#include <deque>
#include <map>
#include <string>

#include "io/scope.h"
#include "node/api/cluster_api.h"

namespace skiff::node {

class EventRecorder {
 public:
  EventRecorder(io::Loop& loop, ClusterApi& api, std::string node_name);

  enum class Type { kNormal, kWarning };
  // `object` is the pod (or node); `field` is "" or "spec.containers{web}". Of a long message the beginning
  // is kept: pods choose what is in it.
  void record(const json::Value& object, const std::string& field, Type type, const std::string& reason,
              std::string message);

 private:
  struct Known {
    std::string path;  // of the stored event; "" while it is being created
    int count = 1;
    MonotonicTime last{};
  };
  struct Pending {
    std::string key;
    json::Value event;  // null: only the count changed
  };
  json::Value make_event(const json::Value& object, const std::string& field, Type type,
                         const std::string& reason, const std::string& message);
  void queue(Pending pending);
  io::Task<void> drain();
  io::Task<void> write(Pending pending);
  void forget_old();

  io::Loop& loop_;
  ClusterApi& api_;
  std::string node_name_;
  std::map<std::string, Known> known_;
  std::deque<Pending> pending_;
  uint64_t last_stamp_ = 0;  // of the newest event's name
  bool draining_ = false;
  io::TaskScope scope_;
};

}  // namespace skiff::node
