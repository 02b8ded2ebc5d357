#include <doctest/doctest.h>

#include "node/pod/container_builder.h"

using namespace skiff;
using namespace skiff::node;

namespace {
PodLimits limits_of(const char* spec) {
  auto pod = json::Value::object({});
  pod.set("spec", *json::parse(spec));
  return make_pod_limits(pod);
}
}  // namespace

TEST_CASE("a pod's limits are those of its containers together") {
  const auto limits = limits_of(R"({"containers":[
    {"name":"a","resources":{"limits":{"cpu":"500m","memory":"64Mi"}}},
    {"name":"b","resources":{"limits":{"cpu":"250m","memory":"32Mi"},"requests":{"cpu":"100m"}}}]})");
  CHECK(limits.memory_bytes == 96 << 20);
  CHECK(limits.cpu_quota_us == 75000);
  CHECK(limits.cpu_shares == 600 * 1024 / 1000);
}

TEST_CASE("a container without a limit leaves its pod without that one, an init container too") {
  const auto one =
      limits_of(R"({"containers":[{"name":"a","resources":{"limits":{"cpu":"1","memory":"64Mi"}}},
                                               {"name":"b","resources":{"limits":{"cpu":"1"}}}]})");
  CHECK(!one.memory_bytes);
  CHECK(one.cpu_quota_us == 200000);
  const auto init = limits_of(R"({"initContainers":[{"name":"i"}],
    "containers":[{"name":"a","resources":{"limits":{"memory":"64Mi"}}}]})");
  CHECK(!init.memory_bytes);
  CHECK(limits_of(R"({"containers":[{"name":"a"}]})").cpu_shares == 2);
}

TEST_CASE("the most that init containers, sidecars and apps need at one time counts") {
  const auto limits = limits_of(R"({"initContainers":[
    {"name":"s","restartPolicy":"Always","resources":{"limits":{"memory":"10Mi"}}},
    {"name":"i","resources":{"limits":{"memory":"100Mi"}}}],
    "containers":[{"name":"a","resources":{"limits":{"memory":"64Mi"}}}],"overhead":{"memory":"1Mi"}})");
  CHECK(limits.memory_bytes == 111 << 20);
}
