#include "platform/apps/rollout.h"

#include <doctest/doctest.h>

using namespace skiff;
using namespace skiff::platform;
using json::Value;

namespace {

Value parse(const std::string& text) {
  auto value = json::parse(text);
  REQUIRE(value.has_value());
  return *value;
}

Value deployment(int version, int updated, int all, int available, const std::string& conditions = "[]") {
  return parse(
      R"({"metadata":{"name":"web","generation":2},"spec":{"replicas":1,"template":{"metadata":{"labels":)"
      R"({"skiff.dev/release":"v)" +
      std::to_string(version) +
      R"("}}}},"status":{"observedGeneration":2,)"
      R"("updatedReplicas":)" +
      std::to_string(updated) + R"(,"replicas":)" + std::to_string(all) + R"(,"availableReplicas":)" +
      std::to_string(available) + R"(,"conditions":)" + conditions + "}}");
}

Value named(Value deployment, const std::string& type) {
  deployment.edit("metadata").set("name", type);
  return deployment;
}

Value scaled(Value deployment, int dynos) {
  deployment.edit("spec").set("replicas", dynos);
  return deployment;
}

Value pod(int version, const std::string& status, const std::string& type = "web") {
  return parse(R"({"metadata":{"name":"web-1-x","labels":{"skiff.dev/process":")" + type +
               R"(","skiff.dev/release":"v)" + std::to_string(version) +
               R"("},"annotations":{"skiff.dev/dyno":"web.1"}},"status":)" + status + "}");
}

const std::string kReady = R"({"conditions":[{"type":"Ready","status":"True"}]})";
const std::string kCrashes =
    R"({"containerStatuses":[{"restartCount":1,"state":{"waiting":{"reason":"CrashLoopBackOff"}},)"
    R"("lastState":{"terminated":{"exitCode":1}}}]})";
const std::string kCrashedOnce = R"({"containerStatuses":[{"state":{"terminated":{"exitCode":3}}}]})";
const std::string kBootsAgain =
    R"({"containerStatuses":[{"restartCount":1,"state":{"running":{}},"lastState":{"terminated":)"
    R"({"exitCode":137,"startedAt":"2026-01-01T00:00:00Z","finishedAt":"2026-01-01T00:01:00Z"}}}]})";
const std::string kNoRoom =
    R"({"conditions":[{"type":"PodScheduled","status":"False","message":"1 Too many pods."}]})";

RolloutFacts facts(std::vector<Value> deployments, std::vector<Value> pods) {
  Release release;
  release.version = 3;
  release.image = "skiff.local/shop:3";
  release.types = {{"web", "run"}};
  return {{3, Maintenance::kOff, {{"web", 1}}},
          RolloutFacts::Written::kYes,
          release,
          std::move(deployments),
          std::move(pods)};
}

}  // namespace

TEST_CASE("a release is up when all its dynos are, and none of another is left") {
  const auto up = plan_rollout(facts({deployment(3, 1, 1, 1)}, {pod(3, kReady)}));
  CHECK(up.phase == kSucceeded);
  CHECK(up.serving == "v3");
  CHECK(up.message.empty());
  CHECK(plan_rollout(facts({deployment(3, 1, 2, 1)}, {})).phase == kPending);
  CHECK(plan_rollout(facts({deployment(2, 1, 1, 1)}, {})).phase == kPending);
  CHECK(plan_rollout(facts({}, {})).phase == kPending);
}

TEST_CASE("a release whose dyno crashes has failed, and the old one serves") {
  const auto failed = plan_rollout(facts({deployment(3, 1, 2, 1)}, {pod(2, kReady), pod(3, kCrashes)}));
  CHECK(failed.phase == kFailed);
  CHECK(failed.message == "web.1: exited with status 1");
  CHECK(failed.pod == "web-1-x");
  CHECK(failed.serving == "v2");
}

TEST_CASE("a release is not up while a dyno of any of its types has crashed, whatever the counts say") {
  auto both = facts({deployment(3, 1, 1, 1), named(deployment(3, 1, 1, 1), "worker")},
                    {pod(3, kReady), pod(3, kCrashedOnce, "worker")});
  both.release.types["worker"] = "run";
  const auto crashed = plan_rollout(both);
  CHECK(crashed.phase == kPending);
  CHECK(crashed.message == "web.1: exited with status 3");
  CHECK(crashed.type == "worker");
  both.pods[1] = pod(3, kCrashes, "worker");
  CHECK(plan_rollout(both).phase == kFailed);
  both.pods[1] = pod(3, R"({"phase":"Failed","message":"The node was low on resource"})", "worker");
  CHECK(plan_rollout(both).phase == kSucceeded);  // evicted, and replaced
}

TEST_CASE("a release is not judged while none of its dynos should run") {
  auto empty = facts({scaled(deployment(4, 0, 0, 0), 0)}, {});
  empty.release.version = 4;
  const auto idle = plan_rollout(empty);
  CHECK(idle.phase == kPending);
  CHECK(idle.outlook == Rollout::Outlook::kNoDynos);
  CHECK(idle.message == "no dyno runs: skiff scale web=1");
  CHECK(carry_on(empty.release, {}, idle) == idle);
  empty.deployments = {scaled(deployment(3, 0, 0, 0), 0)};  // of the release before
  CHECK(plan_rollout(empty).outlook == Rollout::Outlook::kMoving);
}

TEST_CASE("a release keeps its outcome when it is scaled to nothing") {
  auto empty = facts({scaled(deployment(3, 0, 0, 0), 0)}, {});
  empty.release.phase = kFailed;
  empty.release.message = "web.1: exited with status 7";
  empty.release.failed_type = "web";
  for (const Rollout& before : {Rollout{}, Rollout{3, kFailed, "web.1: exited with status 7", "web-1-x"}}) {
    auto failed = carry_on(empty.release, before, plan_rollout(empty));
    CHECK(failed.phase == kFailed);
    CHECK(failed.message == "web.1: exited with status 7");
    CHECK(failed.pod.empty());
  }
  empty.release.phase = kSucceeded;
  CHECK(carry_on(empty.release, {}, plan_rollout(empty)).phase == kSucceeded);
}

TEST_CASE("a failed release keeps its reason while a change of the app is on its way to the cluster") {
  auto unwritten = facts({deployment(3, 1, 1, 1)}, {});
  unwritten.written = RolloutFacts::Written::kNo;
  unwritten.release.phase = kFailed;
  unwritten.release.message = "worker.1: exited with status 3";
  unwritten.release.failed_type = "worker";
  for (const Rollout& before :
       {Rollout{},
        Rollout{
            .version = 3, .phase = kFailed, .message = "worker.1: exited with status 3", .type = "worker"}}) {
    const auto failed = carry_on(unwritten.release, before, plan_rollout(unwritten));
    CHECK(failed.phase == kFailed);
    CHECK(failed.message == "worker.1: exited with status 3");
    CHECK(failed.type == "worker");
  }
}

TEST_CASE("a failed release does not come up without the process type that it failed for") {
  auto half = facts({scaled(deployment(3, 0, 0, 0), 0), named(deployment(3, 1, 1, 1), "worker")},
                    {pod(3, kReady, "worker")});
  half.release.types["worker"] = "run";
  CHECK(plan_rollout(half).phase == kSucceeded);
  half.release.phase = kFailed;
  half.release.failed_type = "web";
  CHECK(carry_on(half.release, {}, plan_rollout(half)).phase == kFailed);
  half.release.failed_type = "worker";
  CHECK(carry_on(half.release, {}, plan_rollout(half)).phase == kSucceeded);
}

TEST_CASE("a dyno that crashes again and again has failed also while it runs") {
  auto runs =
      facts({deployment(3, 1, 1, 0)}, {pod(3, R"({"containerStatuses":[{"state":{"running":{}}}]})")});
  const Rollout before{3, kFailed, "web.1: exited with status 1", "web-1-x"};
  const auto now = carry_on(runs.release, before, plan_rollout(runs));
  CHECK(now.phase == kFailed);
  CHECK(now.message == before.message);
  CHECK(now.pod == before.pod);
  auto older = before;
  older.version = 2;
  CHECK(carry_on(runs.release, older, plan_rollout(runs)).phase == kPending);
  runs.deployments = {deployment(3, 1, 1, 1)};
  CHECK(carry_on(runs.release, before, plan_rollout(runs)).phase == kSucceeded);
}

TEST_CASE("a release that never listens says so while it boots again") {
  const auto deaf = plan_rollout(facts({deployment(3, 1, 1, 0)}, {pod(3, kBootsAgain)}));
  CHECK(deaf.phase == kFailed);
  CHECK(deaf.message ==
        "web.1: Error R10 (Boot timeout) -> Web process failed to bind to $PORT within 60 seconds of launch");
}

TEST_CASE("a release without room is pending and says so, past its deadline too") {
  const std::string late = R"([{"type":"Progressing","status":"False","reason":"ProgressDeadlineExceeded"}])";
  for (const std::string& conditions : {std::string("[]"), late}) {
    const auto stuck =
        plan_rollout(facts({deployment(3, 1, 2, 1, conditions)}, {pod(2, kReady), pod(3, kNoRoom)}));
    CHECK(stuck.phase == kPending);
    CHECK(stuck.outlook == Rollout::Outlook::kNeedsRoom);
    CHECK(stuck.message == "web.1: waits for room: 1 Too many pods.");
  }
  CHECK(plan_rollout(facts({deployment(3, 1, 2, 1, late)}, {pod(2, kReady), pod(3, "{}")})).phase == kFailed);
}

TEST_CASE("a deadline that the release before passed is not this one's") {
  const std::string late = R"([{"type":"Progressing","status":"False","reason":"ProgressDeadlineExceeded"}])";
  auto fresh = deployment(3, 0, 1, 0, late);
  fresh.edit("metadata").set("generation", 3);
  CHECK(plan_rollout(facts({fresh}, {pod(2, kCrashes)})).phase == kPending);
}

TEST_CASE("before the first build, and before it is written") {
  auto blank = facts({}, {});
  blank.release.image = "";
  CHECK(plan_rollout(blank).phase == kSucceeded);
  auto unwritten = facts({deployment(3, 1, 1, 1)}, {});
  unwritten.written = RolloutFacts::Written::kNo;
  CHECK(plan_rollout(unwritten).phase == kPending);
}

TEST_CASE("an app without a web process serves with what runs") {
  auto worker = facts({deployment(3, 1, 1, 1)}, {pod(3, kReady, "worker"), pod(2, kReady, "worker")});
  worker.release.types = {{"worker", "run"}};
  CHECK(plan_rollout(worker).serving == "v2, v3");
}

TEST_CASE("the way back is to the last release that came up, with a build") {
  std::vector<Release> all(5);
  for (int i = 0; i < 5; ++i) {
    all[i].version = i + 1;
    all[i].image = i == 0 ? "" : "skiff.local/shop:1";
    all[i].phase = i == 1 || i == 0 || i == 4 ? kSucceeded : i == 2 ? kFailed : kSuperseded;
  }
  CHECK(find_way_back(all, 5) == "v2");
  CHECK(find_way_back(all, 6) == "v5");
  CHECK(find_way_back(all, 2).empty());
}

TEST_CASE("a release's phase moves forward only") {
  CHECK(move_phase(kPending, kFailed) == kFailed);
  CHECK(move_phase(kFailed, kPending) == kFailed);
  CHECK(move_phase(kFailed, kSuperseded) == kFailed);
  CHECK(move_phase(kFailed, kSucceeded) == kSucceeded);
  CHECK(move_phase(kSucceeded, kFailed) == kSucceeded);
  CHECK(move_phase(kPending, kSuperseded) == kSuperseded);
}
