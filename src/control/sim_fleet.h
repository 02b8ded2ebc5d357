// Nodes that run nothing: a whole fleet played by one object over the API, for simulations.
//
// It registers the nodes, renews their leases, reports a bound pod ready after a while and lets a deleted one
// go after another; each pod takes between half and all of these delays, as chance has it. One watch serves
// all nodes, where real agents have one each.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>

#include "control/shared/objects.h"
#include "io/scope.h"
#include "kube/client/client.h"

namespace skiff::control {

struct FleetOptions {
  int nodes = 1;
  Duration start_delay = std::chrono::milliseconds(600);
  // How long this pod takes until it is ready, nothing for ever; when not set, start_delay says it.
  std::function<std::optional<Duration>(const Value& pod)> ready_after = {};
  Duration stop_delay = std::chrono::milliseconds(400);
};

class SimFleet {
 public:
  // The loop and the client outlive the fleet.
  SimFleet(io::Loop& loop, kube::Client& client, FleetOptions options);
  // Registers the nodes, then plays them.
  void start();
  bool registered() const { return registered_; }
  // Pods that are ready and not being deleted.
  size_t running() const { return running_.size(); }
  // Writes that failed for another reason than that the pod is gone.
  uint64_t failures() const { return failures_; }

 private:
  void on_pod(const kube::ObjectChange& change);
  static io::Task<void> run(SimFleet* self);
  static io::Task<void> register_node(SimFleet* self, int number);
  static io::Task<void> renew_leases(SimFleet* self);
  static io::Task<void> start_pod(SimFleet* self, std::string path, std::string uid, Duration delay);
  static io::Task<void> stop_pod(SimFleet* self, std::string path, std::string uid);
  Duration vary(Duration delay);
  template <typename T>
  void note(const Result<T>& result);

  io::Loop& loop_;
  kube::Client& client_;
  FleetOptions options_;
  bool registered_ = false;
  uint64_t failures_ = 0;
  uint32_t last_address_ = 0;
  std::set<std::string> starting_, stopping_, running_;  // by uid of the pod
  io::TaskScope scope_;
};

}  // namespace skiff::control
