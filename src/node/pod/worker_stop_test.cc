// How a pod is stopped: signals, grace, hooks, the pause for the edge, data on its way.
#include "node/pod/worker.h"

#include <doctest/doctest.h>

#include "node/pod/worker_rig.h"

using namespace skiff;
using namespace skiff::node;
using namespace std::chrono_literals;
using Rig = WorkerRig;

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

TEST_CASE("a pod deleted by force is stopped all the same") {
  Rig rig(kOne);
  rig.pass(1s);
  rig.api.erase(kPath);
  rig.pass(5s);
  CHECK(rig.finished);
  CHECK(rig.runtime.running() == 0);
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
