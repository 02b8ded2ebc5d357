// What a worker makes of a pod that an agent before it had.
#include "node/pod/worker.h"

#include <doctest/doctest.h>

#include "node/pod/worker_rig.h"

using namespace skiff;
using namespace skiff::node;
using namespace std::chrono_literals;
using Rig = WorkerRig;

TEST_CASE("init containers run again in a new sandbox, as after a reboot") {
  Rig rig(
      R"({"initContainers":[{"name":"a","image":"i"},{"name":"b","image":"i"}],"containers":[{"name":"c","image":"i"}]})");
  rig.runtime.behave("a", {.ends_after = 1s});
  rig.runtime.behave("b", {.ends_after = 1s});
  rig.pass(3s);
  REQUIRE(rig.ready());
  rig.worker.reset();
  rig.runtime.end(rig.runtime.starts().back(), 137, "ContainerStatusUnknown");
  rig.host.alive_pods.clear();
  rig.launch();
  rig.pass(500ms);
  rig.worker.reset();  // the agent alone: what has begun in this sandbox goes on
  rig.launch();
  rig.pass(3s);
  std::vector<std::string> names;
  for (const auto& key : rig.runtime.starts()) names.push_back(key.name + std::to_string(key.attempt));
  CHECK(names == std::vector<std::string>{"a0", "b0", "c0", "a1", "b1", "c1"});
  CHECK(rig.ready());
}

TEST_CASE("a restarted agent adopts a running container and starts no second one") {
  Rig rig(kOne);
  rig.pass(1s);
  const auto id = rig.container()["containerID"].str();
  rig.worker.reset();
  rig.launch();
  rig.pass(5s);
  CHECK(rig.runtime.starts().size() == 1);
  CHECK(rig.container()["containerID"].str() == id);
  CHECK(rig.ready());
}

constexpr const char* kSlowStart =
    R"({"containers":[{"name":"c","image":"i","startupProbe":{"exec":{"command":["x"]},"periodSeconds":1,"failureThreshold":1}}]})";

TEST_CASE("a restarted agent does not ask a container's startup probe again") {
  Rig rig(kSlowStart);
  rig.pass(1s);
  rig.worker.reset();
  rig.prober.outcome = {ProbeOutcome::Verdict::kFailure, "booted long ago"};
  rig.launch();
  rig.pass(20s);
  CHECK(rig.runtime.starts().size() == 1);
  CHECK(rig.ready());
}

TEST_CASE("a restarted agent does not take the startup of an earlier attempt for that of the present one") {
  Rig rig(kSlowStart);
  rig.pass(1s);
  const auto before = rig.api.find(kPath);
  rig.runtime.end(rig.runtime.starts().back(), 1);
  rig.pass(1s);
  REQUIRE(rig.runtime.running() == 1);
  rig.worker.reset();
  rig.api.put(kPath, before);
  const int probes = rig.prober.probes;
  rig.launch();
  rig.pass(1s);
  CHECK(rig.runtime.starts().size() == 2);
  CHECK(rig.prober.probes == probes + 1);
}

TEST_CASE("a wall clock that is set between two agents ends no pod") {
  Rig rig(R"({"activeDeadlineSeconds":100,"containers":[{"name":"c","image":"i"}]})");
  rig.host.started = rig.loop.now();
  rig.pass(10s);
  rig.worker.reset();
  rig.loop.step_wall(24h);
  rig.launch();
  rig.pass(85s);
  CHECK(rig.status()["phase"].str() == "Running");
  rig.pass(10s);
  CHECK(rig.status()["reason"].str() == "DeadlineExceeded");
}

TEST_CASE("a restarted agent ends a pod that is being deleted without preparing it once more") {
  Rig rig(R"({"containers":[{"name":"c","image":"i"}],"terminationGracePeriodSeconds":60})");
  rig.runtime.behave("c", {.ends_on_term = std::nullopt});
  rig.pass(1s);
  rig.api.begin_delete(kPath, 60);
  rig.pass(1s);
  rig.worker.reset();
  rig.host.set_up_error = Error{Code::kInternal, "it can't be prepared"};
  rig.launch();
  rig.pass(90s);
  CHECK(rig.finished);
  CHECK(rig.host.set_ups == 1);
  CHECK(rig.host.alive_pods.empty());
}
