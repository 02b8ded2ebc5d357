// The start of a build's pod: waits for it, and tells the pusher what it waits for: room, other builds, the
// stack layers that the node makes for it. What goes on elsewhere may take long, and has a bound of its own.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "platform/builds/output.h"
#include "platform/builds/pod_watch.h"
#include "platform/builds/stack_layers.h"

namespace skiff::platform {

// What the node says while it makes layers: the reason of its Events on the pod.
constexpr const char* kStackLayerReason = "StackLayer";

class PodStart {
 public:
  // How many other builds were there before this one and still go on.
  using CountOthers = std::function<size_t()>;
  // All outlive it. `name` is the pod's.
  PodStart(io::Loop& loop, kube::Client& api, PodWatch& watch, const std::string& name_space,
           const std::string& name, LayerNames layers, BuildOutput& output, CountOthers count_others);
  // Until the pod runs or has ended. NotFound: its image can't be had, and why. Unavailable: it took too
  // long.
  io::Task<Result<void>> wait();

 private:
  enum class Stage {
    kQueued,        // no room, while earlier builds go on
    kStarting,      // nothing goes on that it would have to wait for
    kMakingLayers,  // the node makes what its image lacks
  };
  void on_event(const kube::ObjectChange& change);
  // How long the stage may last.
  static Duration longest(Stage stage);
  Stage stage() const;
  void tell_what_it_waits_for();
  // Too long in this stage?
  Result<void> check_time();
  io::Loop& loop_;
  PodWatch& watch_;
  LayerNames layers_;
  BuildOutput& output_;
  CountOthers count_others_;
  std::map<std::string, int64_t> heard_;  // events by name, and how often they came
  bool makes_layers_ = false;
  Stage stage_ = Stage::kStarting;  // as of the last look
  MonotonicTime stage_begin_;
  std::string told_;
  io::TaskScope scope_;
};

// Pure: what a pusher is told whose build does not start (PodWatch says why), while `others` have the room
// that it waits for.
std::string describe_wait(const std::string& why, size_t others);

}  // namespace skiff::platform
