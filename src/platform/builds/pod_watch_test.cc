#include "platform/builds/pod_watch.h"

#include <doctest/doctest.h>

#include "io/sim_loop.h"

using namespace skiff;
using namespace skiff::platform;
using Kind = kube::ObjectChange::Kind;

namespace {

// A cluster of which only following works: the test says what changed.
struct FakeCluster final : kube::Client {
  explicit FakeCluster(io::Loop& l) : loop(l) {}
  io::Task<Result<json::Value>> get(std::string) override { co_return fail(Code::kUnimplemented, ""); }
  io::Task<Result<json::Value>> list(std::string, std::string) override {
    co_return fail(Code::kUnimplemented, "");
  }
  io::Task<Result<json::Value>> create(std::string, json::Value) override {
    co_return fail(Code::kUnimplemented, "");
  }
  io::Task<Result<json::Value>> update(std::string, json::Value) override {
    co_return fail(Code::kUnimplemented, "");
  }
  io::Task<Result<json::Value>> patch(std::string, kube::PatchType, json::Value) override {
    co_return fail(Code::kUnimplemented, "");
  }
  io::Task<Result<void>> remove(std::string, json::Value) override {
    co_return fail(Code::kUnimplemented, "");
  }
  io::Task<void> follow(std::string path, std::string query, kube::ChangeCallback on_change) override {
    followed = path + "?" + query;
    callback = std::move(on_change);
    co_await io::sleep(loop, std::chrono::hours(1));
  }
  void tell(Kind kind, const char* phase = "") {
    const auto status = json::Value::object({{"phase", phase}});
    callback({kind, json::Value::object({{"status", status}})});
  }

  io::Loop& loop;
  std::string followed;
  kube::ChangeCallback callback;
};

struct Rig {
  Rig() { scope.spawn(wait(this)); }
  static io::Task<void> wait(Rig* self) {
    std::vector<std::string> phases = {"Succeeded", "Failed"};
    auto pod = co_await self->watch.reach(std::move(phases));
    self->outcome.emplace(std::move(pod));
  }
  void settle() { loop.run_until_idle(); }

  io::SimLoop loop{1};
  FakeCluster cluster{loop};
  PodWatch watch{loop, cluster, "shop", "build-1"};
  std::optional<Result<json::Value>> outcome;
  io::TaskScope scope{loop};
};

}  // namespace

TEST_CASE("a watch waits for one of the phases") {
  Rig rig;
  rig.settle();
  CHECK(rig.cluster.followed == "/api/v1/namespaces/shop/pods?fieldSelector=metadata.name%3Dbuild-1");
  rig.cluster.tell(Kind::kReset);
  rig.cluster.tell(Kind::kUpsert, "Pending");
  rig.cluster.tell(Kind::kSynced);
  rig.cluster.tell(Kind::kUpsert, "Running");
  rig.settle();
  CHECK_FALSE(rig.outcome.has_value());
  rig.cluster.tell(Kind::kUpsert, "Failed");
  rig.settle();
  REQUIRE(rig.outcome.has_value());
  CHECK((**rig.outcome)["status"]["phase"].str() == "Failed");
}

TEST_CASE("a pod that does not start says why") {
  Rig rig;
  rig.settle();
  CHECK(rig.watch.what_it_waits_for() == "");
  const auto told = [&](const char* status) {
    auto parsed = json::parse(status);
    rig.cluster.callback({Kind::kUpsert, json::Value::object({{"status", *parsed}})});
    return rig.watch.what_it_waits_for();
  };
  CHECK(told(R"({"conditions":[{"type":"PodScheduled","status":"False","message":"no node"}]})") ==
        "waits for room: no node");
  CHECK(rig.watch.lacks_room());
  CHECK(told(R"({"containerStatuses":[{"state":{"waiting":{"reason":"ContainerCreating"}}}]})") ==
        "waits for its container, which is being made");
  CHECK_FALSE(rig.watch.lacks_room());
  CHECK(
      told(
          R"({"containerStatuses":[{"state":{"waiting":{"reason":"ContainerCreating","message":"a volume"}}}]})") ==
      "waits for its container, which is being made: a volume");
  CHECK(
      told(
          R"({"containerStatuses":[{"state":{"waiting":{"reason":"ErrImagePull","message":"no image"}}}]})") ==
      "does not start yet: no image");
}

TEST_CASE("a watch ends when the pod is deleted, also unseen") {
  for (const Kind how : {Kind::kRemoved, Kind::kSynced}) {
    Rig rig;
    rig.settle();
    rig.cluster.tell(Kind::kUpsert, "Running");
    if (how == Kind::kSynced) rig.cluster.tell(Kind::kReset);
    rig.cluster.tell(how);
    rig.settle();
    REQUIRE(rig.outcome.has_value());
    CHECK(rig.outcome->error().message == "somebody deleted the build's pod; push again");
  }
}
