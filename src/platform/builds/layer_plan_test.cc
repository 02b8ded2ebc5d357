#include "platform/builds/layer_plan.h"

#include <doctest/doctest.h>

using namespace skiff;
using namespace skiff::platform;
using Next = LayerPlan::Next;

namespace {

const Error kNoMirror{Code::kNotFound, "no mirror can be reached"};

}  // namespace

TEST_CASE("a build whose pod has all that it needs takes one pod, and keeps what it needs") {
  LayerPlan plan({"java", "node"});
  CHECK(plan.on_named({"node"}) == Next::kBuilt);
  CHECK(plan.layers() == LayerNames{"node"});
  LayerPlan none({});
  CHECK(none.on_named({}) == Next::kBuilt);
}

TEST_CASE("a build whose pod lacks a layer gets another pod with those that it named") {
  LayerPlan plan({"java"});
  CHECK(plan.on_named({"node", "ruby"}) == Next::kOtherPod);
  CHECK(plan.layers() == LayerNames{"node", "ruby"});
  CHECK(plan.on_named({"node", "ruby"}) == Next::kBuilt);
}

TEST_CASE("a build that names others each time is refused") {
  LayerPlan plan({});
  CHECK(plan.on_named({"node"}) == Next::kOtherPod);
  CHECK(plan.on_named({"ruby"}).error().message.starts_with(
      "the buildpacks ask for other stack layers (ruby) once they have those that they asked for (node)"));
}

TEST_CASE("when the layers of the last build are no more, the build is asked what it needs now") {
  LayerPlan plan({"nodejs"});
  CHECK(plan.on_missing(kNoMirror) == Next::kOtherPod);
  CHECK(plan.layers().empty());
  CHECK(plan.on_named({"node"}) == Next::kOtherPod);
  CHECK(plan.layers() == LayerNames{"node"});
  CHECK(plan.on_named({"node"}) == Next::kBuilt);

  LayerPlan needs_none({"nodejs"});
  CHECK(needs_none.on_missing(kNoMirror) == Next::kOtherPod);
  CHECK(needs_none.on_named({}) == Next::kBuilt);
}

TEST_CASE("a layer that is needed and can't be had refuses the build with the reason") {
  LayerPlan again({"node"});
  CHECK(again.on_missing(kNoMirror) == Next::kOtherPod);
  CHECK(again.on_named({"node"}).error().message == kNoMirror.message);

  LayerPlan first({});
  CHECK(first.on_named({"node"}) == Next::kOtherPod);
  CHECK(first.on_missing(kNoMirror).error().message == kNoMirror.message);

  LayerPlan third({"java"});
  CHECK(third.on_missing(kNoMirror) == Next::kOtherPod);
  CHECK(third.on_named({"node"}) == Next::kOtherPod);
  CHECK(third.on_missing({Code::kNotFound, "node too"}).error().message == "node too");

  LayerPlan none({});
  CHECK(none.on_missing(kNoMirror).error().message == kNoMirror.message);
}
