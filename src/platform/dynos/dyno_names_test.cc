#include "platform/dynos/dyno_names.h"

#include <doctest/doctest.h>

#include "platform/apps/manifests.h"

using namespace skiff;
using namespace skiff::platform;
using json::Value;

namespace {

Value pod(const std::string& uid, const std::string& revision, const std::string& type = "web") {
  const Value labels = Value::object({{kProcessLabel, type}, {"pod-template-hash", revision}});
  return Value::object(
      {{"metadata", Value::object({{"uid", uid}, {"name", type + "-abc-" + uid}, {"labels", labels}})}});
}

Value ending(Value value) {
  value.edit("metadata").set("deletionTimestamp", "2026-01-01T00:00:00Z");
  return value;
}

}  // namespace

TEST_CASE("the dynos of a formation are numbered from one") {
  DynoNames names;
  const std::vector<Value> pods = {pod("a", "r1"), pod("b", "r1"), pod("c", "r1"), pod("w", "r1", "worker")};
  CHECK(names.assign(pods[0], pods) == "web.1");
  CHECK(names.assign(pods[1], pods) == "web.2");
  CHECK(names.assign(pods[2], pods) == "web.3");
  CHECK(names.assign(pods[3], pods) == "worker.1");
  CHECK(names.find(pods[1]) == "web.2");
}

TEST_CASE("a new pod takes the lowest number that is free") {
  DynoNames names;
  std::vector<Value> pods = {pod("a", "r1"), pod("b", "r1")};
  for (const auto& one : pods) names.assign(one, pods);
  pods[0] = ending(pods[0]);
  pods.push_back(pod("c", "r1"));
  CHECK(names.assign(pods[2], pods) == "web.1");
}

TEST_CASE("a new release numbers its own dynos from one while the old ones run") {
  DynoNames names;
  std::vector<Value> pods = {pod("a", "r1"), pod("b", "r2")};
  CHECK(names.assign(pods[0], pods) == "web.1");
  CHECK(names.assign(pods[1], pods) == "web.1");
}

TEST_CASE("a name that stands in the annotation is taken") {
  DynoNames names;
  Value old = pod("a", "r1");
  old.edit("metadata").set("annotations", Value::object({{kDynoAnnotation, "web.1"}}));
  const std::vector<Value> pods = {old, pod("b", "r1")};
  CHECK(names.assign(pods[1], pods) == "web.2");
}

TEST_CASE("of dynos too many the highest number goes first") {
  const Value patch = dyno_name_patch("web.3");
  CHECK(patch["metadata"]["annotations"]["controller.kubernetes.io/pod-deletion-cost"].str() == "-3");
}

TEST_CASE("a dyno without a name is called by its pod") {
  CHECK(fallback_dyno_name(pod("x7k", "r1")) == "web.x7k");
  CHECK(dyno_number("web.x7k") == 0);
}
