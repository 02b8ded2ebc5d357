#include "platform/builds/pod_start.h"

#include <doctest/doctest.h>

#include <optional>

#include "io/sim_loop.h"

using namespace skiff;
using namespace skiff::platform;
using json::Value;
using std::chrono::minutes;
using std::chrono::seconds;
using Kind = kube::ObjectChange::Kind;

namespace {

// A cluster of which only following works: the test says what changed.
struct FakeCluster final : kube::Client {
  explicit FakeCluster(io::Loop& l) : loop(l) {}
  io::Task<Result<Value>> get(std::string) override { co_return fail(Code::kUnimplemented, ""); }
  io::Task<Result<Value>> list(std::string, std::string) override {
    co_return fail(Code::kUnimplemented, "");
  }
  io::Task<Result<Value>> create(std::string, Value) override { co_return fail(Code::kUnimplemented, ""); }
  io::Task<Result<Value>> update(std::string, Value) override { co_return fail(Code::kUnimplemented, ""); }
  io::Task<Result<Value>> patch(std::string, kube::PatchType, Value) override {
    co_return fail(Code::kUnimplemented, "");
  }
  io::Task<Result<void>> remove(std::string, Value) override { co_return fail(Code::kUnimplemented, ""); }
  io::Task<void> follow(std::string path, std::string, kube::ChangeCallback on_change) override {
    (path.ends_with("/pods") ? pods : events) = std::move(on_change);
    co_await io::sleep(loop, std::chrono::hours(100));
  }
  io::Loop& loop;
  kube::ChangeCallback pods, events;
};

struct Rig {
  explicit Rig(LayerNames layers)
      : start(loop, cluster, watch, "builds", "build-1", std::move(layers), output,
              [this] { return others; }) {
    scope.spawn(wait(this));
    loop.run_until_idle();
  }
  static io::Task<void> wait(Rig* self) {
    auto started = co_await self->start.wait();
    self->outcome.emplace(std::move(started));
  }
  void pod(const char* status) {
    cluster.pods({Kind::kUpsert, Value::object({{"status", *json::parse(status)}})});
    loop.run_until_idle();
  }
  void event(const char* name, const char* message, int count = 1, const char* reason = "StackLayer") {
    cluster.events({Kind::kUpsert, Value::object({{"metadata", Value::object({{"name", name}})},
                                                  {"reason", reason},
                                                  {"message", message},
                                                  {"count", count}})});
    loop.run_until_idle();
  }
  std::string take() { return std::exchange(seen, ""); }

  io::SimLoop loop{1};
  FakeCluster cluster{loop};
  std::string seen;
  size_t others = 0;
  BuildOutput output{loop, [this](std::string_view text) { seen += text; }, 100};
  PodWatch watch{loop, cluster, "builds", "build-1"};
  PodStart start;
  std::optional<Result<void>> outcome;
  io::TaskScope scope{loop};
};

constexpr const char* kNoRoom =
    R"({"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","message":"no memory"}]})";

}  // namespace

TEST_CASE("a pod that starts at once is not talked about") {
  Rig rig({});
  rig.pod(R"({"phase":"Pending"})");
  rig.loop.advance(seconds(2));
  rig.pod(R"({"phase":"Running"})");
  REQUIRE(rig.outcome);
  CHECK(*rig.outcome);
  CHECK(rig.seen == "");
}

TEST_CASE("a build that waits for room is told its place, and again when it moves") {
  Rig rig({});
  rig.others = 2;
  rig.pod(kNoRoom);
  rig.loop.advance(seconds(10));
  CHECK(rig.take() == " !     The build waits for room: no memory; 2 other builds are before it\n");
  rig.others = 1;
  rig.loop.advance(seconds(2));
  CHECK(rig.take() == " !     The build waits for room: no memory; another build is before it\n");
}

TEST_CASE("a build waits for those before it as long as they may take, then its own time begins") {
  Rig rig({});
  rig.others = 1;
  rig.pod(kNoRoom);
  rig.loop.advance(minutes(50));
  CHECK_FALSE(rig.outcome);
  rig.others = 0;
  rig.loop.advance(minutes(2));
  CHECK_FALSE(rig.outcome);
  rig.loop.advance(minutes(2));
  REQUIRE(rig.outcome);
  CHECK(rig.outcome->error().message ==
        "the build did not start within 3 minutes: it waits for room: no memory; push again when that has "
        "passed");

  Rig stuck({});
  stuck.others = 1;
  stuck.pod(kNoRoom);
  stuck.loop.advance(minutes(61));
  REQUIRE(stuck.outcome);
  CHECK(
      stuck.outcome->error().message.starts_with("the build did not start within 60 minutes: it waits for"));
}

TEST_CASE("a build that has its room waits for nobody") {
  Rig rig({});
  rig.others = 2;
  rig.pod(
      R"({"phase":"Pending","containerStatuses":[{"state":{"waiting":{"reason":"ContainerCreating"}}}]})");
  rig.loop.advance(seconds(10));
  CHECK(rig.take() == "       The build waits for its container, which is being made\n");
  rig.loop.advance(minutes(3));
  CHECK(rig.outcome);
}

TEST_CASE("what the node tells of layers is shown as it comes, each once, and the start waits for them") {
  Rig rig({"node", "ruby"});
  rig.pod(
      R"({"phase":"Pending","containerStatuses":[{"state":{"waiting":{"reason":"ContainerCreating"}}}]})");
  rig.event("a", "node: fetching 20 packages");
  rig.event("a", "node: fetching 20 packages");
  rig.event("b", "Started container", 1, "Started");
  rig.event("c", "node: made in 12 s");
  rig.loop.advance(minutes(10));
  CHECK(rig.take() ==
        "-----> Preparing the stack (node ruby)\n       node: fetching 20 packages\n       node: made in 12 "
        "s\n");
  CHECK_FALSE(rig.outcome);
  rig.pod(R"({"phase":"Running"})");
  REQUIRE(rig.outcome);
  CHECK(*rig.outcome);
}

TEST_CASE("layers that are made for ever, or can't be made, end the start") {
  Rig slow({"node"});
  slow.pod(R"({"phase":"Pending"})");
  slow.event("a", "node: fetching");
  slow.loop.advance(minutes(31));
  REQUIRE(slow.outcome);
  CHECK(slow.outcome->error().message.starts_with("the build did not start within 30 minutes"));

  Rig failed({"node"});
  failed.pod(
      R"({"phase":"Pending","containerStatuses":[{"state":{"waiting":{"reason":"ErrImagePull","message":"node: no such package"}}}]})");
  REQUIRE(failed.outcome);
  CHECK(failed.outcome->error().code == Code::kNotFound);
  CHECK(failed.outcome->error().message == "node: no such package");
}

TEST_CASE("a pod that somebody deletes ends the start") {
  Rig rig({});
  rig.pod(R"({"phase":"Pending"})");
  rig.cluster.pods({Kind::kRemoved, Value()});
  rig.loop.run_until_idle();
  REQUIRE(rig.outcome);
  CHECK(rig.outcome->error().message == "somebody deleted the build's pod; push again");
}
