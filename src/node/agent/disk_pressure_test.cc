#include "node/agent/disk_pressure.h"

#include <doctest/doctest.h>

using namespace skiff;
using namespace skiff::node;

namespace {

constexpr int64_t kMi = 1 << 20, kGi = 1 << 30;

PodDiskUse use(const char* uid, int64_t bytes, const char* request = "0", int64_t priority = 0) {
  json::Value pod =
      *json::parse(R"({"metadata":{},"spec":{"containers":[{"name":"c","resources":{"requests":{}}}]}})");
  pod.edit("metadata").set("uid", uid);
  pod.edit("spec").set("priority", priority);
  json::Value requests = json::Value::object({{"ephemeral-storage", request}});
  pod.edit("spec").edit("containers").edit_items()[0].edit("resources").set("requests", requests);
  return {pod, {{{"c", bytes}}, {}}};
}

}  // namespace

TEST_CASE("pressure begins at a tenth of a small disk and at one gibibyte of a large one") {
  CHECK(under_disk_pressure({200 * kMi, 19 * kMi}));
  CHECK_FALSE(under_disk_pressure({200 * kMi, 21 * kMi}));
  CHECK(wants_images_collected({200 * kMi, 29 * kMi}));
  CHECK_FALSE(under_disk_pressure({500 * kGi, 2 * kGi}));
  CHECK(under_disk_pressure({500 * kGi, kGi - 1}));
}

TEST_CASE("who uses most beyond its request is evicted") {
  const DiskSpace disk{200 * kMi, 4 * kMi};
  const auto picked =
      pick_eviction({use("a", 5 * kMi), use("b", 50 * kMi), use("c", 90 * kMi, "100Mi")}, disk);
  REQUIRE(picked);
  CHECK(picked->uid == "b");
  CHECK(picked->message ==
        "The node was low on resource: ephemeral-storage. Threshold quantity: 20Mi, available: 4Mi. "
        "Container c was using 50Mi, request is 0, has larger consumption of ephemeral-storage. ");
  CHECK(pick_eviction({use("a", 5 * kMi, "0", 0), use("b", 50 * kMi, "0", 100)}, disk)->uid == "a");
}

TEST_CASE("who fills its termination message is evicted for it") {
  PodDiskUse message = use("a", kMi);
  message.usage.files = 60 * kMi;
  CHECK(pick_eviction({message, use("b", 50 * kMi)}, {200 * kMi, 4 * kMi})->uid == "a");
}

TEST_CASE("a pod that wrote little goes on, whoever filled the disk") {
  const DiskSpace full{4 * kGi, 0};
  CHECK_FALSE(pick_eviction({use("a", 36 << 10), use("b", 30 * kMi)}, full));
  CHECK(pick_eviction({use("a", 36 << 10), use("b", 50 * kMi)}, full)->uid == "b");
  CHECK_FALSE(pick_eviction({use("a", 90 * kMi)}, {500 * kGi, 4 * kMi}));
  CHECK(pick_eviction({use("a", 110 * kMi)}, {500 * kGi, 4 * kMi})->uid == "a");
}

TEST_CASE("pods that have ended are not evicted") {
  PodDiskUse ended = use("a", kMi);
  ended.pod.set("status", json::Value::object({{"phase", "Failed"}}));
  CHECK_FALSE(pick_eviction({ended}, {}));
}
