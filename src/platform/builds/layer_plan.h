// Which stack layers the next pod of a build has (stack_layers.h). Pure.
//
// The first pod has those of the app's last build. A build whose pod lacks some names what it needs and ends;
// the next pod has just these. When those of the last build can't be had any more, a pod without any asks
// what is needed now: at most three pods run.
#pragma once

#include <optional>

#include "platform/builds/stack_layers.h"

namespace skiff::platform {

class LayerPlan {
 public:
  explicit LayerPlan(LayerNames of_last_build) : layers_(std::move(of_last_build)) {}
  // Of the next pod; of the build, once that is over.
  const LayerNames& layers() const { return layers_; }

  enum class Next { kBuilt, kOtherPod };
  // The pod named what the build needs. An error: it names others each time, or what can't be had.
  Result<Next> on_named(LayerNames needed);
  // The image with these layers can't be had, and why.
  Result<Next> on_missing(Error why);

 private:
  LayerNames layers_, missing_;
  bool asked_ = false;        // the layers are those that a pod named
  std::optional<Error> why_;  // the ones of the last build can't be had
};

}  // namespace skiff::platform
