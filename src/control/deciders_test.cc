// The small deciders: placement, endpoints, garbage, nodes, victims.
#include <doctest/doctest.h>

#include "control/endpoints/plan.h"
#include "control/gc/plan.h"
#include "control/nodes/plan.h"
#include "control/replicaset/plan.h"
#include "control/scheduler/plan.h"

namespace skiff::control {

namespace {
Value parsed(const char* text) {
  return json::parse(text).value_or(Value());
}
std::map<std::string, Room> rooms(const Value& node, Usage used = {}) {
  Room room(node);
  room.used = used;
  return {{name_of(node), room}};
}
const WallTime kNow = *parse_rfc3339("2026-01-01T01:00:00Z");
}  // namespace

TEST_CASE("a pod that fits nowhere is told why in upstream's words") {
  const auto pod =
      parsed(R"({"spec":{"containers":[{"resources":{"requests":{"cpu":"2","memory":"1Gi"}}}]}})");
  const auto node = parsed(
      R"({"metadata":{"name":"n1"},"status":{"allocatable":{"cpu":"1","memory":"512Mi","pods":"1"}}})");
  CHECK(place_pod(pod, rooms(node)).message ==
        "0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory.");
  CHECK(place_pod(pod, {}).message == "no nodes available to schedule pods");
  const auto small = parsed(R"({"spec":{"containers":[{"resources":{"requests":{"cpu":"500m"}}}]}})");
  CHECK(place_pod(small, rooms(node)).node == "n1");
  CHECK(place_pod(small, rooms(node, {0, 0, 1})).message == "0/1 nodes are available: 1 Too many pods.");
}

TEST_CASE("a node is asked for by its name as a field, together with its labels") {
  const auto node =
      parsed(R"({"metadata":{"name":"n1","labels":{"disk":"ssd"}},"status":{"allocatable":{"pods":"9"}}})");
  const auto goes = [&](const char* terms) {
    Value pod = parsed(R"({"spec":{"containers":[{}]}})");
    pod.edit("spec")
        .edit("affinity")
        .edit("nodeAffinity")
        .set("requiredDuringSchedulingIgnoredDuringExecution",
             Value::object({{"nodeSelectorTerms", parsed(terms)}}));
    return place_pod(pod, rooms(node)).node == "n1";
  };
  CHECK(goes(R"([{"matchFields":[{"key":"metadata.name","operator":"In","values":["n1"]}]}])"));
  CHECK_FALSE(goes(R"([{"matchFields":[{"key":"metadata.name","operator":"In","values":["n2"]}]}])"));
  CHECK(goes(R"([{"matchFields":[{"key":"metadata.name","operator":"NotIn","values":["n2"]}]}])"));
  CHECK_FALSE(goes(R"([{"matchFields":[{"key":"metadata.name","operator":"In","values":["n1"]}],
    "matchExpressions":[{"key":"disk","operator":"In","values":["hdd"]}]}])"));
  CHECK(goes(R"([{}, {"matchFields":[{"key":"metadata.name","operator":"In","values":["n1"]}],
    "matchExpressions":[{"key":"disk","operator":"Exists"}]}])"));
  CHECK_FALSE(goes("[{}]"));
}

TEST_CASE("a node without enough of any resource a pod asks for is refused by the resource's name") {
  const auto pod = parsed(
      R"({"spec":{"containers":[{"resources":{"requests":{"nvidia.com/gpu":"1","ephemeral-storage":"1Gi"}}}]}})");
  const auto plain = parsed(R"({"metadata":{"name":"n1"},"status":{"allocatable":{"pods":"9"}}})");
  CHECK(place_pod(pod, rooms(plain)).message ==
        "0/1 nodes are available: 1 Insufficient ephemeral-storage, 1 Insufficient nvidia.com/gpu.");
  const auto able = parsed(
      R"({"metadata":{"name":"n1"},"status":{"allocatable":{"pods":"9","nvidia.com/gpu":"2","ephemeral-storage":"8Gi"}}})");
  CHECK(place_pod(pod, rooms(able)).node == "n1");
  Usage used = requests_of(pod);
  used.add(requests_of(pod), 1);
  CHECK(place_pod(pod, rooms(able, used)).message ==
        "0/1 nodes are available: 1 Insufficient nvidia.com/gpu.");
  used.add(requests_of(pod), -1);
  CHECK(place_pod(pod, rooms(able, used)).node == "n1");
}

TEST_CASE("sidecars add to what containers ask for, an init container counts where it asks for more") {
  const auto pod = parsed(R"({"spec":{"initContainers":[
      {"resources":{"requests":{"cpu":"3","nvidia.com/gpu":"1"}}},
      {"restartPolicy":"Always","resources":{"requests":{"cpu":"1","memory":"1k"}}}],
      "containers":[{"resources":{"requests":{"cpu":"500m","memory":"2k"}}}]}})");
  const auto asked = requests_of(pod);
  CHECK(asked.milli_cpu == 4000);
  CHECK(asked.memory == 3000);
  CHECK(asked.pods == 1);
  CHECK(asked.others == std::map<std::string, int64_t>{{"nvidia.com/gpu", 1}});
}

TEST_CASE("a taint keeps a pod away unless it is tolerated") {
  const auto node = parsed(
      R"({"metadata":{"name":"n1"},"spec":{"taints":[{"key":"a","value":"b","effect":"NoSchedule"}]},"status":{"allocatable":{"pods":"9"}}})");
  CHECK(place_pod(parsed("{}"), rooms(node)).message ==
        "0/1 nodes are available: 1 node(s) had untolerated taint {a: b}.");
  CHECK(
      place_pod(parsed(R"({"spec":{"tolerations":[{"key":"a","operator":"Exists"}]}})"), rooms(node)).node ==
      "n1");
}

TEST_CASE("a terminating pod serves on but is not ready, and leaves the Endpoints") {
  const auto service = parsed(
      R"({"metadata":{"name":"web","namespace":"shop","uid":"s"},"spec":{"selector":{"app":"web"},"ports":[{"port":80,"targetPort":8080}]}})");
  const auto pod = parsed(
      R"({"metadata":{"name":"p","namespace":"shop","uid":"u","deletionTimestamp":"2026-01-01T00:00:00Z"},"status":{"phase":"Running","podIP":"10.0.0.1","conditions":[{"type":"Ready","status":"True"}]}})");
  const auto plan = plan_endpoints({service, {pod}, {}, {}});
  REQUIRE(plan.actions.size() == 2);
  CHECK(plan.actions[0].body["endpoints"].at(0)["conditions"] ==
        parsed(R"({"ready":false,"serving":true,"terminating":true})"));
  CHECK(plan.actions[0].body["ports"].at(0)["port"].as_int() == 8080);
  CHECK(plan.actions[1].body["subsets"].is_null());
}

TEST_CASE("garbage without a living owner is deleted; with one it stays") {
  const auto pod = parsed(
      R"({"metadata":{"name":"p","namespace":"a","uid":"u","ownerReferences":[{"uid":"x"},{"uid":"y"}]}})");
  const std::string path = "/api/v1/namespaces/a/pods/p";
  CHECK(plan_garbage({pod, path, {OwnerState::kAbsent, OwnerState::kAbsent}, {}}).to_string() ==
        "delete " + path + "\n");
  CHECK(plan_garbage({pod, path, {OwnerState::kSolid, OwnerState::kSolid}, {}}).actions.empty());
  const auto kept = plan_garbage({pod, path, {OwnerState::kAbsent, OwnerState::kSolid}, {}});
  REQUIRE(kept.actions.size() == 1);
  CHECK(kept.actions[0].body["metadata"]["ownerReferences"] == parsed(R"([{"uid":"y"}])"));
}

TEST_CASE("a foreground owner waits for the dependents that block it") {
  const auto owner = parsed(
      R"({"metadata":{"name":"o","uid":"x","deletionTimestamp":"2026-01-01T00:00:00Z","finalizers":["foregroundDeletion"]}})");
  const auto dependent =
      parsed(R"({"metadata":{"ownerReferences":[{"uid":"x","blockOwnerDeletion":true}]}})");
  CHECK(plan_garbage({owner, "/o", {}, {{dependent, "/d"}}}).actions.empty());
  const auto plan = plan_garbage({owner, "/o", {}, {}});
  REQUIRE(plan.actions.size() == 1);
  CHECK(plan.actions[0].body["metadata"]["finalizers"].size() == 0);
}

TEST_CASE("a node that is silent for fifty seconds is Unknown and tainted, a fresh one is not") {
  const auto node = parsed(
      R"({"metadata":{"name":"n","creationTimestamp":"2026-01-01T00:00:00Z"},"status":{"conditions":[{"type":"Ready","status":"True"}]}})");
  const auto fresh = parsed(R"({"spec":{"renewTime":"2026-01-01T00:59:30.000000Z"}})");
  const auto calm = plan_node({.node = node, .lease = fresh}, kNow);
  CHECK(calm.actions.empty());
  CHECK(calm.again == std::chrono::seconds(20));  // when the fifty are over
  const auto silent = parsed(R"({"spec":{"renewTime":"2026-01-01T00:59:09.000000Z"}})");
  const auto plan = plan_node({.node = node, .lease = silent}, kNow);
  REQUIRE(plan.actions.size() == 3);
  CHECK(plan.actions[0].body["spec"]["taints"].size() == 2);
  CHECK(plan.actions[1].body["status"]["conditions"].at(0)["status"].str() == "Unknown");
}

TEST_CASE("pods of a silent node are not ready; those of one that is back stay as they are") {
  const auto node = parsed(
      R"({"metadata":{"name":"n"},"spec":{"taints":[{"key":"node.kubernetes.io/unreachable","effect":"NoSchedule"},
          {"key":"node.kubernetes.io/unreachable","effect":"NoExecute","timeAdded":"2026-01-01T00:59:50Z"}]},
          "status":{"conditions":[{"type":"Ready","status":"Unknown"}]}})");
  const auto pod = parsed(
      R"({"metadata":{"name":"p","namespace":"shop","uid":"u"},
          "spec":{"tolerations":[{"operator":"Exists"}]},
          "status":{"conditions":[{"type":"Ready","status":"True"}]}})");
  const auto fresh = parsed(R"({"spec":{"renewTime":"2026-01-01T00:59:59.000000Z"}})");
  CHECK(plan_node({.node = node, .lease = fresh, .pods = {pod}}, kNow).actions.empty());
  const auto old = parsed(R"({"spec":{"renewTime":"2026-01-01T00:59:09.000000Z"}})");
  const auto plan = plan_node({.node = node, .lease = old, .pods = {pod}}, kNow);
  REQUIRE(plan.actions.size() == 1);
  CHECK(plan.actions[0].path == "/api/v1/namespaces/shop/pods/p/status");
}

TEST_CASE("pods of an unreachable node are evicted when their toleration is over") {
  auto node = parsed(
      R"({"metadata":{"name":"n"},"spec":{"taints":[{"key":"node.kubernetes.io/unreachable","effect":"NoSchedule"},
          {"key":"node.kubernetes.io/unreachable","effect":"NoExecute","timeAdded":"2026-01-01T00:55:10Z"}]},
          "status":{"conditions":[{"type":"Ready","status":"Unknown"}]}})");
  const auto pod = parsed(
      R"({"metadata":{"name":"p","namespace":"shop","uid":"u"},"spec":{"tolerations":[
          {"key":"node.kubernetes.io/unreachable","operator":"Exists","effect":"NoExecute","tolerationSeconds":300}]}})");
  const auto early = plan_node({.node = node, .pods = {pod}}, kNow);
  CHECK(early.actions.empty());
  CHECK(early.again == std::chrono::seconds(10));
  const auto late = plan_node({.node = node, .pods = {pod}}, kNow + std::chrono::seconds(10));
  REQUIRE(late.actions.size() == 2);
  CHECK(late.actions[1].to_string() == "delete /api/v1/namespaces/shop/pods/p");
}

TEST_CASE("pods of a node that is not registered are removed after forty seconds") {
  const auto pod = parsed(R"({"metadata":{"name":"p","namespace":"shop","uid":"u"}})");
  const auto early = plan_lost_pods({pod}, kNow, kNow + std::chrono::seconds(10));
  CHECK(early.actions.empty());
  CHECK(early.again == std::chrono::seconds(30));
  const auto late = plan_lost_pods({pod}, kNow, kNow + std::chrono::seconds(40));
  REQUIRE(late.actions.size() == 1);
  CHECK(late.actions[0].body["gracePeriodSeconds"].as_int(-1) == 0);
}

TEST_CASE("the least useful pod is deleted first") {
  const auto unassigned = parsed(R"({"metadata":{"uid":"1"}})");
  const auto pending =
      parsed(R"({"metadata":{"uid":"2"},"spec":{"nodeName":"n"},"status":{"phase":"Pending"}})");
  const auto unready =
      parsed(R"({"metadata":{"uid":"3"},"spec":{"nodeName":"n"},"status":{"phase":"Running"}})");
  const auto ready = parsed(
      R"({"metadata":{"uid":"4"},"spec":{"nodeName":"n"},"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True","lastTransitionTime":"2026-01-01T00:00:00Z"}]}})");
  std::vector<Value> pods{ready, unready, pending, unassigned};
  rank_victims(pods, {}, kNow);
  CHECK(pods == std::vector<Value>{unassigned, pending, unready, ready});
}

}  // namespace skiff::control
