#include "node/pod/worker.h"

#include <doctest/doctest.h>

#include "node/pod/worker_rig.h"

using namespace skiff;
using namespace skiff::node;
using namespace std::chrono_literals;
using Rig = WorkerRig;

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
