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

Value pod(int version, const std::string& status, const std::string& type = "web") {
  return parse(R"({"metadata":{"name":"web-1-x","labels":{"skiff.dev/process":")" + type +
               R"(","skiff.dev/release":"v)" + std::to_string(version) +
               R"("},"annotations":{"skiff.dev/dyno":"web.1"}},"status":)" + status + "}");
}

const std::string kReady = R"({"conditions":[{"type":"Ready","status":"True"}]})";
const std::string kCrashes =
    R"({"containerStatuses":[{"restartCount":1,"state":{"waiting":{"reason":"CrashLoopBackOff"}},)"
    R"("lastState":{"terminated":{"exitCode":1}}}]})";
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

TEST_CASE("a release's phase moves forward only") {
  CHECK(move_phase(kPending, kFailed) == kFailed);
  CHECK(move_phase(kFailed, kPending) == kFailed);
  CHECK(move_phase(kFailed, kSuperseded) == kFailed);
  CHECK(move_phase(kFailed, kSucceeded) == kSucceeded);
  CHECK(move_phase(kSucceeded, kFailed) == kSucceeded);
  CHECK(move_phase(kPending, kSuperseded) == kSuperseded);
}
