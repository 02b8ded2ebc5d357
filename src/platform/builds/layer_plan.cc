#include "platform/builds/layer_plan.h"

#include <fmt/core.h>

#include <utility>

namespace skiff::platform {

Result<LayerPlan::Next> LayerPlan::on_named(LayerNames needed) {
  if (has_layers(layers_, needed)) {
    layers_ = std::move(needed);
    return Next::kBuilt;
  }
  if (asked_) {
    return fail(Code::kInvalidArgument,
                fmt::format("the buildpacks ask for other stack layers ({}) once they have those that they "
                            "asked for ({}); their bin/layers must say the same each time",
                            join_layers(needed, " "), join_layers(layers_, " ")));
  }
  if (why_ && needed == missing_) return std::unexpected(*why_);
  layers_ = std::move(needed);
  asked_ = true;
  return Next::kOtherPod;
}

Result<LayerPlan::Next> LayerPlan::on_missing(Error why) {
  if (asked_ || layers_.empty()) return std::unexpected(std::move(why));
  missing_ = std::exchange(layers_, {});
  why_ = std::move(why);
  return Next::kOtherPod;
}

}  // namespace skiff::platform
