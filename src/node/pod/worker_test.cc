#include "node/pod/worker.h"

#include <doctest/doctest.h>

#include "node/pod/fake_node.h"
#include "node/pod/phase.h"

using namespace skiff;
using namespace skiff::node;
using namespace std::chrono_literals;

namespace {

constexpr const char* kPath = "/api/v1/namespaces/n/pods/p";

struct Rig : FakeNode {
  bool finished = false;
  std::unique_ptr<PodWorker> worker;
  io::TaskScope scope{loop};

  explicit Rig(const char* spec, std::optional<Error> spec_error = {}) {
    host.spec_error = std::move(spec_error);
    auto pod = json::Value::object({{"apiVersion", "v1"}, {"kind", "Pod"}});
    pod.set("metadata", *json::parse(R"({"name":"p","namespace":"n","uid":"u1"})"));
    pod.set("spec", *json::parse(spec));
    api.put(kPath, pod);
    runtime.on_exit([this](const ContainerKey& key) {
      if (worker) worker->container_ended(key.name);
    });
    launch();
    scope.spawn(api.follow("/api/v1/namespaces/n/pods", "", [this](const ObjectChange& change) {
      if (!worker) return;
      if (change.kind == ObjectChange::Kind::kUpsert) worker->update(change.object);
      if (change.kind == ObjectChange::Kind::kRemoved) worker->object_gone();
    }));
  }
  void launch() {
    worker = std::make_unique<PodWorker>(services(), api.find(kPath), [this] { finished = true; });
  }
  void pass(Duration time) { loop.advance(time); }
  json::Value status() { return api.find(kPath)["status"]; }
  json::Value container(size_t index = 0) { return status()["containerStatuses"].at(index); }
  bool ready() { return find_named(status()["conditions"], "Ready", "type")["status"].str() == "True"; }
  int event_count(const std::string& reason) {
    int count = 0;
    for (const auto& event : api.list("/api/v1/namespaces/n/events")) {
      if (event["reason"].str() == reason) count += static_cast<int>(event["count"].as_int());
    }
    return count;
  }
};

constexpr const char* kOne = R"({"containers":[{"name":"c","image":"i"}],"terminationGracePeriodSeconds":5})";

}  // namespace

TEST_CASE("a pod of one container becomes ready and is deleted gracefully") {
  Rig rig(kOne);
  rig.pass(10ms);
  CHECK(rig.status()["phase"].str() == "Running");
  CHECK(rig.ready());
  CHECK(rig.status()["podIP"].str() == "10.42.0.2");
  CHECK(rig.event_count("Started") == 1);
  rig.api.begin_delete(kPath, 5);
  rig.pass(10ms);
  CHECK(rig.finished);
  CHECK(rig.api.find(kPath).is_null());
  CHECK(rig.api.statuses(kPath).back()["phase"].str() == "Succeeded");
  CHECK(rig.runtime.list("u1").empty());
  CHECK(rig.event_count("Killing") == 1);
}

TEST_CASE("what a container needs is asked for again soon while the API is away, late when it is wrong") {
  for (const auto& [code, wait] : {std::pair{Code::kUnavailable, 300ms}, {Code::kNotFound, 10100ms}}) {
    Rig rig(kOne, Error{code, "no"});
    rig.pass(100ms);
    rig.host.spec_error.reset();
    rig.pass(wait - 250ms);
    CHECK(!rig.ready());
    rig.pass(400ms);
    CHECK(rig.ready());
    CHECK(rig.event_count("Failed") == (code == Code::kNotFound ? 1 : 0));
  }
}

TEST_CASE("a container that ignores SIGTERM is killed when the grace period is over") {
  Rig rig(kOne);
  rig.runtime.behave("c", {.ends_on_term = std::nullopt});
  rig.pass(10ms);
  rig.api.begin_delete(kPath, 5);
  rig.pass(4900ms);
  CHECK(!rig.finished);
  rig.pass(200ms);
  CHECK(rig.finished);
  const auto last = rig.api.statuses(kPath).back();
  CHECK(last["phase"].str() == "Failed");
  CHECK(last["containerStatuses"].at(0)["state"]["terminated"]["exitCode"].as_int() == 137);
}

TEST_CASE("a second deletion shortens the grace period of the first") {
  Rig rig(kOne);
  rig.runtime.behave("c", {.ends_on_term = std::nullopt});
  rig.pass(10ms);
  rig.api.begin_delete(kPath, 60);
  rig.pass(2s);
  rig.api.begin_delete(kPath, 3);
  rig.pass(2900ms);
  CHECK(!rig.finished);
  rig.pass(200ms);
  CHECK(rig.finished);
}

TEST_CASE("a second deletion ends a running preStop hook, and leaves the container its minimum") {
  for (const auto& [on_term, last] : {std::pair<std::optional<Duration>, Duration>{0ms, 0s}, {{}, 2s}}) {
    Rig rig(R"({"containers":[{"name":"c","image":"i","lifecycle":{"preStop":{"sleep":{"seconds":25}}}}]})");
    rig.runtime.behave("c", {.ends_on_term = on_term});
    rig.pass(10ms);
    rig.api.begin_delete(kPath, 60);
    rig.pass(2s);
    rig.api.begin_delete(kPath, 3);
    rig.pass(2900ms + last);
    CHECK(!rig.finished);
    rig.pass(200ms);
    CHECK(rig.finished);
  }
}

TEST_CASE("a pod that is routed to is told to stop when the edge has stopped sending") {
  Rig rig(kOne);
  rig.routed = true;
  rig.pass(10ms);
  rig.api.begin_delete(kPath, 5);
  rig.pass(1900ms);
  CHECK(!rig.finished);
  CHECK(rig.event_count("Killing") == 1);
  rig.pass(200ms);
  CHECK(rig.finished);
}

TEST_CASE("the pause is part of the grace period") {
  Rig rig(kOne);
  rig.routed = true;
  rig.runtime.behave("c", {.ends_on_term = std::nullopt});
  rig.pass(10ms);
  rig.api.begin_delete(kPath, 5);
  rig.pass(4900ms);
  CHECK(!rig.finished);
  rig.pass(200ms);
  CHECK(rig.finished);
}

TEST_CASE("a preStop hook that sleeps is the pause, another hook comes after it") {
  for (const auto& [hook, after] : {std::pair<const char*, Duration>{R"({"sleep":{"seconds":3}})", 3s},
                                    {R"({"sleep":{"seconds":1}})", 2s},
                                    {R"({"exec":{"command":["quit"]}})", 2s}}) {
    CAPTURE(hook);
    Rig rig((R"({"containers":[{"name":"c","image":"i","lifecycle":{"preStop":)" + std::string(hook) + "}}]}")
                .c_str());
    rig.routed = true;
    rig.pass(10ms);
    rig.api.begin_delete(kPath, 30);
    rig.pass(after - 100ms);
    CHECK(!rig.finished);
    rig.pass(200ms);
    CHECK(rig.finished);
  }
}

TEST_CASE("a container that ends by itself, and a hurried deletion, end the pause") {
  Rig rig(kOne);
  rig.routed = true;
  rig.runtime.behave("c", {.ends_after = 1s});
  rig.pass(10ms);
  rig.api.begin_delete(kPath, 30);
  rig.pass(1100ms);
  CHECK(rig.finished);
  Rig hurried(kOne);
  hurried.routed = true;
  hurried.pass(10ms);
  hurried.api.begin_delete(kPath, 30);
  hurried.pass(100ms);
  hurried.api.begin_delete(kPath, 0);
  hurried.pass(100ms);
  CHECK(hurried.finished);
}

TEST_CASE("a pod that is deleted while postStart runs is stopped once") {
  Rig rig(
      R"({"containers":[{"name":"c","image":"i","lifecycle":{"postStart":{"sleep":{"seconds":2}},"preStop":{"sleep":{"seconds":5}}}}]})");
  rig.pass(1s);
  rig.api.begin_delete(kPath, 30);
  rig.pass(4900ms);
  CHECK(!rig.finished);
  rig.pass(200ms);
  CHECK(rig.finished);
  CHECK(rig.event_count("Killing") == 1);
}

TEST_CASE("the network stays until ended containers' data is sent, and the status does not wait for it") {
  Rig rig(kOne);
  rig.pass(10ms);
  rig.host.sending = true;
  rig.api.begin_delete(kPath, 30);
  rig.pass(2s);
  CHECK(rig.status()["phase"].str() == "Succeeded");
  CHECK(rig.host.alive_pods.size() == 1);
  rig.host.sending = false;
  rig.pass(60ms);
  CHECK(rig.host.alive_pods.empty());
  CHECK(rig.finished);
}

TEST_CASE("a client that never takes its data does not keep a pod's network for long") {
  Rig rig(kOne);
  rig.pass(10ms);
  rig.host.sending = true;
  rig.api.begin_delete(kPath, 30);
  rig.pass(4900ms);
  CHECK(!rig.finished);
  rig.pass(200ms);
  CHECK(rig.finished);
}

TEST_CASE("a deletion without grace does not wait for data to be sent") {
  for (const bool forced : {false, true}) {
    Rig rig(kOne);
    rig.pass(10ms);
    rig.host.sending = true;
    rig.api.begin_delete(kPath, 30);
    rig.pass(1s);
    CHECK(!rig.finished);
    if (forced) {
      rig.api.erase(kPath);
    } else {
      rig.api.begin_delete(kPath, 0);
    }
    rig.pass(60ms);
    CHECK(rig.finished);
  }
}

TEST_CASE("a crashing container is restarted at once, then after 10, 20 and 40 seconds") {
  Rig rig(kOne);
  rig.runtime.behave("c", {.ends_after = 1s, .exit_code = 3});
  rig.pass(1500ms);
  CHECK(rig.runtime.starts().size() == 2);
  rig.pass(3s);
  CHECK(rig.container()["state"]["waiting"]["reason"].str() == "CrashLoopBackOff");
  CHECK(rig.container()["state"]["waiting"]["message"].str() ==
        "back-off 10s restarting failed container=c pod=p_n(u1)");
  CHECK(rig.container()["lastState"]["terminated"]["exitCode"].as_int() == 3);
  CHECK(rig.container()["restartCount"].as_int() == 1);
  rig.pass(9s);
  CHECK(rig.runtime.starts().size() == 3);
  rig.pass(21s);
  CHECK(rig.runtime.starts().size() == 4);
  CHECK(rig.event_count("BackOff") == 3);
}

TEST_CASE("only the last two attempts of a crashing container keep their output") {
  Rig rig(kOne);
  rig.runtime.behave("c", {.ends_after = 1s, .exit_code = 3});
  rig.pass(40s);
  REQUIRE(rig.runtime.starts().size() == 4);
  CHECK(rig.host.oldest_output["c"] == 2);
}

TEST_CASE("restartPolicy Never ends in Failed or Succeeded, and nothing is left running") {
  for (const int code : {0, 2}) {
    Rig rig(R"({"restartPolicy":"Never","containers":[{"name":"c","image":"i"}]})");
    rig.runtime.behave("c", {.ends_after = 1s, .exit_code = code});
    rig.pass(5s);
    CHECK(rig.status()["phase"].str() == (code == 0 ? "Succeeded" : "Failed"));
    CHECK(rig.host.alive_pods.empty());
    CHECK(rig.runtime.starts().size() == 1);
    CHECK(!rig.finished);
  }
}

TEST_CASE("init containers run one after the other before the app") {
  Rig rig(
      R"({"initContainers":[{"name":"a","image":"i"},{"name":"b","image":"i"}],"containers":[{"name":"c","image":"i"}]})");
  rig.runtime.behave("a", {.ends_after = 1s});
  rig.runtime.behave("b", {.ends_after = 1s});
  rig.pass(500ms);
  CHECK(rig.runtime.starts().size() == 1);
  CHECK(rig.status()["phase"].str() == "Pending");
  rig.pass(1s);
  CHECK(rig.runtime.starts().size() == 2);
  rig.pass(1s);
  CHECK(rig.runtime.starts().size() == 3);
  CHECK(rig.ready());
}

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

TEST_CASE("a liveness probe that keeps failing replaces the container") {
  Rig rig(
      R"({"containers":[{"name":"c","image":"i","livenessProbe":{"exec":{"command":["x"]},"periodSeconds":1,"failureThreshold":2}}]})");
  rig.pass(3s);
  CHECK(rig.runtime.starts().size() == 1);
  rig.prober.outcome = {ProbeOutcome::Verdict::kFailure, "no"};
  rig.pass(3s);
  CHECK(rig.runtime.starts().size() == 2);
  CHECK(rig.event_count("Unhealthy") >= 2);
}

TEST_CASE("readiness decides Ready and nothing else") {
  Rig rig(
      R"({"containers":[{"name":"c","image":"i","readinessProbe":{"tcpSocket":{"port":1},"periodSeconds":1,"failureThreshold":1}}]})");
  rig.prober.outcome = {ProbeOutcome::Verdict::kFailure, "refused"};
  rig.pass(3s);
  CHECK(rig.status()["phase"].str() == "Running");
  CHECK(!rig.ready());
  rig.prober.outcome = {};
  rig.pass(2s);
  CHECK(rig.ready());
  CHECK(rig.runtime.starts().size() == 1);
}

TEST_CASE("a condition that holds takes back why it did not") {
  Rig rig(kOne);
  rig.pass(1s);
  const auto conditions = rig.api.statuses(kPath).back()["conditions"];
  const auto& ready = find_named(conditions, "Ready", "type");
  CHECK(ready["status"].str() == "True");
  for (const char* field : {"reason", "message"}) {
    CHECK(ready.contains(field));
    CHECK(ready[field].is_null());
  }
}

TEST_CASE("a pod that others called unready while its node was silent says again that it is ready") {
  Rig rig(kOne);
  rig.pass(1s);
  REQUIRE(rig.ready());
  auto pod = rig.api.find(kPath);
  for (auto& condition : pod.edit("status").edit("conditions").edit_items()) {
    if (condition["type"].str() == "Ready") condition.set("status", "False");
  }
  rig.api.put(kPath, pod);
  CHECK(!rig.ready());
  rig.pass(1s);
  CHECK(rig.ready());
}

TEST_CASE("a missing image is shown as ErrImagePull, then as ImagePullBackOff, and tried again") {
  Rig rig(kOne);
  rig.images.failures["i"] = {{}, "ErrImagePull", "no such image"};
  rig.pass(100ms);
  CHECK(rig.container()["state"]["waiting"]["reason"].str() == "ErrImagePull");
  rig.pass(2s);
  CHECK(rig.container()["state"]["waiting"]["reason"].str() == "ImagePullBackOff");
  rig.images.failures.clear();
  rig.pass(10s);
  CHECK(rig.ready());
}

TEST_CASE("a container gets its new image whatever the restart policy, and is no crash by that") {
  for (const std::string policy : {"Always", "OnFailure", "Never"}) {
    Rig rig(kOne);
    const auto give = [&rig, &policy](const std::string& image) {
      auto pod = rig.api.find(kPath);
      const std::string containers = R"("containers":[{"name":"c","image":")" + image + R"("}])";
      pod.set("spec", *json::parse(R"({"restartPolicy":")" + policy + R"(",)" + containers + "}"));
      rig.api.put(kPath, pod);
    };
    give("i");
    rig.pass(1s);
    give("j");
    rig.pass(1s);
    CHECK(rig.runtime.starts().size() == 2);
    CHECK(rig.ready());
    CHECK(rig.container()["image"].str() == "j");
    CHECK(rig.status()["phase"].str() == "Running");
    CHECK(rig.event_count("Killing") == 1);
    CHECK(rig.event_count("BackOff") == 0);
    rig.pass(30s);
    CHECK(rig.runtime.starts().size() == 2);
    rig.images.failures["missing"] = {{}, "ErrImagePull", "no such image"};
    give("missing");
    rig.pass(25s);
    CHECK(rig.container()["state"]["waiting"]["reason"].str() == "ImagePullBackOff");
    give("i");
    rig.pass(10ms);
    CHECK(rig.runtime.starts().size() == 3);
    CHECK(rig.ready());
  }
}

TEST_CASE("a program that can't be started counts as an attempt that ended with 128") {
  Rig rig(kOne);
  rig.runtime.behave("c", {.cannot_start = "executable file not found"});
  rig.pass(500ms);
  CHECK(rig.runtime.starts().size() == 2);
  CHECK(rig.container()["state"]["waiting"]["reason"].str() == "RunContainerError");
  CHECK(rig.container()["lastState"]["terminated"]["exitCode"].as_int() == 128);
  CHECK(rig.container()["lastState"]["terminated"]["reason"].str() == "StartError");
  CHECK(rig.status()["phase"].str() == "Running");
  rig.pass(3s);
  CHECK(rig.container()["state"]["waiting"]["reason"].str() == "CrashLoopBackOff");
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

TEST_CASE("a pod deleted by force is stopped all the same") {
  Rig rig(kOne);
  rig.pass(1s);
  rig.api.erase(kPath);
  rig.pass(5s);
  CHECK(rig.finished);
  CHECK(rig.runtime.running() == 0);
}

TEST_CASE("a pod past its deadline fails with that reason") {
  Rig rig(R"({"activeDeadlineSeconds":4,"containers":[{"name":"c","image":"i"}]})");
  rig.pass(3s);
  CHECK(rig.status()["phase"].str() == "Running");
  rig.pass(2s);
  CHECK(rig.status()["phase"].str() == "Failed");
  CHECK(rig.status()["reason"].str() == "DeadlineExceeded");
}

TEST_CASE("a wall clock that is set forward or back changes nothing but what is told") {
  for (const Duration step : {Duration(24h), Duration(-24h)}) {
    Rig rig(
        R"({"activeDeadlineSeconds":100,"containers":[{"name":"c","image":"i"}],"terminationGracePeriodSeconds":5})");
    rig.runtime.behave("c", {.ends_after = 1s, .exit_code = 1});
    rig.pass(2500ms);  // the first end, a restart at once, the second end
    const std::string start = rig.status()["startTime"].str();
    CHECK(rig.container()["restartCount"].as_int() == 1);
    rig.loop.step_wall(step);
    rig.pass(8s);
    CHECK(rig.container()["restartCount"].as_int() == 1);
    rig.pass(3s);
    CHECK(rig.container()["restartCount"].as_int() == 2);
    rig.pass(80s);
    CHECK(rig.status()["phase"].str() == "Running");
    rig.pass(10s);
    CHECK(rig.status()["reason"].str() == "DeadlineExceeded");
    CHECK(rig.status()["startTime"].str() == start);
  }
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

TEST_CASE("a sidecar ends when the app has completed") {
  Rig rig(
      R"({"restartPolicy":"Never","initContainers":[{"name":"s","image":"i","restartPolicy":"Always"}],"containers":[{"name":"c","image":"i"}]})");
  rig.runtime.behave("c", {.ends_after = 2s});
  rig.pass(1s);
  CHECK(rig.runtime.running() == 2);
  CHECK(rig.ready());
  rig.pass(5s);
  CHECK(rig.runtime.running() == 0);
  CHECK(rig.status()["phase"].str() == "Succeeded");
}

TEST_CASE("a pod that is deleted while its image is being fetched goes at once") {
  Rig rig(kOne);
  rig.images.never_ends = true;
  rig.pass(1s);
  CHECK(rig.container()["state"]["waiting"]["reason"].str() == "ContainerCreating");
  rig.api.begin_delete(kPath, 30);
  rig.pass(1s);
  CHECK(rig.finished);
}
