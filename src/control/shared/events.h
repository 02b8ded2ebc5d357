// Records Events about objects in upstream's form: equal ones are counted on one object, after ten similar
// ones in ten minutes the rest are combined, and an object that talks too much is cut off (contract 3.12).
// Fire and forget: an Event that cannot be written is dropped. All on the loop's thread.
#pragma once

#include <deque>
#include <map>
#include <string>

#include "control/shared/objects.h"
#include "io/scope.h"
#include "kube/client/client.h"

namespace skiff::control {

class EventRecorder {
 public:
  EventRecorder(io::Loop& loop, kube::Client& client, std::string component);
  // `type` is Normal or Warning. `about` carries apiVersion and kind, or they are guessed from its shape.
  void record(const Value& about, const std::string& type, const std::string& reason, std::string message);
  uint64_t dropped() const { return dropped_; }

 private:
  struct Similar {
    int distinct = 0;
    MonotonicTime last{};
  };
  struct Bucket {
    double tokens = 0;
    MonotonicTime at{};
  };
  struct Seen {
    std::string path;
    int count = 0;
  };
  struct Pending {
    std::string path;
    Value body;
    bool first = true;
  };
  bool allow(const std::string& object);
  static io::Task<void> drain(EventRecorder* self);

  io::Loop& loop_;
  kube::Client& client_;
  std::string component_;
  std::map<std::string, Similar> similar_;
  std::map<std::string, Bucket> buckets_;
  std::map<std::string, Seen> seen_;
  std::deque<Pending> pending_;
  uint64_t last_stamp_ = 0;  // of the newest event's name
  bool draining_ = false;
  uint64_t dropped_ = 0;
  io::TaskScope scope_;
};

}  // namespace skiff::control
