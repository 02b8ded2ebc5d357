// Decisions of one sync that recordings and simulations meet seldom.
#include "control/deployment/plan.h"

#include <doctest/doctest.h>

#include "control/deployment/revisions.h"

namespace skiff::control {

namespace {

const WallTime kNow = *parse_rfc3339("2026-01-01T01:00:00Z");
constexpr const char* kWeb = "/apis/apps/v1/namespaces/shop/deployments/web";

Value parsed(const char* text) {
  return json::parse(text).value_or(Value());
}
Value web() {
  return parsed(R"({"apiVersion":"apps/v1","kind":"Deployment",
      "metadata":{"name":"web","namespace":"shop","uid":"d","generation":2},
      "spec":{"replicas":3,"progressDeadlineSeconds":60,"selector":{"matchLabels":{"app":"web"}},
              "template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"a","image":"i:1"}]}}}})");
}
Value set_of(const Value& deployment, int64_t revision, int64_t replicas) {
  auto set = make_replica_set(deployment, revision, replicas, 4);
  set.edit("metadata").set("uid", "rs-" + std::to_string(revision));
  set.edit("metadata").set("creationTimestamp", "2026-01-01T00:00:00Z");
  return set;
}

}  // namespace

TEST_CASE("a Deployment that selects every pod is warned and does nothing") {
  auto deployment = web();
  deployment.edit("spec").set("selector", Value::object());
  const auto plan = plan_deployment({deployment, {}, {}}, kNow);
  REQUIRE(plan.actions.size() == 2);
  CHECK(
      plan.actions[0].to_string() ==
      "event Warning SelectingAll This deployment is selecting all pods. A non-empty selector is required.");
  CHECK(plan.actions[1].body["status"]["observedGeneration"].as_int() == 2);
}

TEST_CASE(
    "an orphan that matches is adopted after the owner was confirmed, one that matches no more is released") {
  const auto deployment = web();
  auto orphan = set_of(deployment, 1, 3);
  orphan.edit("metadata").erase("ownerReferences");
  auto adopted = plan_deployment({deployment, {orphan}, {}}, kNow);
  REQUIRE(adopted.actions.size() == 2);
  CHECK(adopted.actions[0].to_string() == std::string("confirm ") + kWeb);
  CHECK(adopted.actions[1].body["metadata"]["ownerReferences"].at(0)["uid"].str() == "d");
  CHECK(adopted.actions[1].body["metadata"]["uid"].str() == "rs-1");

  auto stranger = set_of(deployment, 1, 3);
  stranger.edit("metadata").set("labels", Value::object({{"app", "other"}}));
  auto released = plan_deployment({deployment, {stranger}, {}}, kNow);
  REQUIRE(released.actions.size() == 1);
  CHECK(released.actions[0].body["metadata"]["ownerReferences"].at(0)["$patch"].str() == "delete");

  auto deleting = deployment;
  deleting.edit("metadata").set("deletionTimestamp", "2026-01-01T00:00:00Z");
  for (const auto& action : plan_deployment({deleting, {orphan}, {}}, kNow).actions)
    CHECK(action.path.find("replicasets") == std::string::npos);
}

TEST_CASE("another object of the new ReplicaSet's name is counted as a collision and gives another name") {
  const auto deployment = web();
  const auto& pod_template = deployment["spec"]["template"];
  auto foreign = set_of(deployment, 1, 3);
  foreign.edit("metadata").edit("ownerReferences").edit_at(0).set("uid", "another");
  const auto plan = plan_collision(deployment, foreign);
  REQUIRE(plan.actions.size() == 1);
  CHECK(plan.actions[0].body["status"]["collisionCount"].as_int() == 1);
  CHECK(plan_collision(deployment, set_of(deployment, 1, 3)).actions.empty());
  CHECK(template_hash(pod_template, 0) != template_hash(pod_template, 1));
  CHECK(template_hash(pod_template, 0).size() <= 10);
}

TEST_CASE("a ReplicaSet that cannot be made is told in the conditions") {
  const auto plan = plan_create_failure(web(), "quota exceeded", kNow);
  REQUIRE(plan.actions.size() == 2);
  CHECK(plan.actions[0].reason == "ReplicaSetCreateError");
  const auto& condition = find_condition(plan.actions[1].body, "Progressing");
  CHECK(condition["status"].str() == "False");
  CHECK(condition["message"].str() == "quota exceeded");
}

TEST_CASE("a paused Deployment makes no ReplicaSet for a new template, but scales") {
  auto deployment = web();
  deployment.edit("spec").set("paused", true);
  auto old = set_of(deployment, 1, 3);
  deployment.edit("spec").set("template", parsed(R"({"metadata":{"labels":{"app":"web"}},"spec":{}})"));
  deployment.edit("spec").set("replicas", 5);
  const auto plan = plan_deployment({deployment, {old}, {}}, kNow);
  REQUIRE(plan.actions.size() == 3);
  CHECK(plan.actions[0].body["spec"]["replicas"].as_int() == 5);
  CHECK(plan.actions[1].message == "Scaled up replica set " + name_of(old) + " from 3 to 5");
  CHECK(find_condition(plan.actions[2].body, "Progressing")["reason"].str() == "DeploymentPaused");
}

TEST_CASE("an undo by annotation to a revision that is not there, or that is the present one, only warns") {
  auto deployment = web();
  const auto present = set_of(deployment, 1, 3);
  const auto reason_of = [&](const char* revision) {
    auto asked = deployment;
    asked.edit("metadata").edit("annotations").set(kRollbackTo, revision);
    const auto plan = plan_deployment({asked, {present}, {}}, kNow);
    REQUIRE(plan.actions.size() == 2);
    CHECK(plan.actions[1].path == kWeb);
    CHECK_FALSE(plan.actions[1].body["metadata"]["annotations"].contains(kRollbackTo));
    CHECK(plan.actions[1].body["spec"] == deployment["spec"]);
    return plan.actions[0].reason;
  };
  CHECK(reason_of("9") == "DeploymentRollbackRevisionNotFound");
  CHECK(reason_of("0") == "DeploymentRollbackRevisionNotFound");
  CHECK(reason_of("1") == "DeploymentRollbackTemplateUnchanged");
}

}  // namespace skiff::control
