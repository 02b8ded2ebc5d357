// What a write of an object's status changes beside the status.
#include <doctest/doctest.h>

#include "kube/server/server_rig.h"

namespace skiff::kube {
namespace {

const std::string kHome = "/namespaces/default/";
const std::string kMerge = "application/merge-patch+json";
const std::string kChange =
    R"({"metadata":{"labels":{"l":"1"},"annotations":{"a":"1"},"finalizers":["e.com/f"],
    "ownerReferences":[{"apiVersion":"v1","kind":"Node","name":"n","uid":"u"}]}})";

// A server in which pods can be made.
struct PodRig : ServerRig {
  explicit PodRig(ServerOptions options = test_options()) : ServerRig(std::move(options)) {
    ask("POST", "/api/v1" + kHome + "serviceaccounts", R"({"metadata":{"name":"default"}})");
  }
};

// The names of the four fields above that the object has now.
std::string kept(const json::Value& object) {
  std::string out;
  for (const char* field : {"labels", "annotations", "finalizers", "ownerReferences"}) {
    const json::Value& value = object["metadata"][field];
    const bool has = std::string_view(field) == "labels" ? value.contains("l") : !value.empty();
    if (has) out += std::string(field) + " ";
  }
  return out;
}

TEST_CASE("a write of the status keeps the metadata that the kind lets it write") {
  PodRig rig;
  const std::string pod = R"("spec":{"containers":[{"name":"c","image":"i"}]})";
  const std::string set =
      R"("spec":{"selector":{"matchLabels":{"x":"y"}},"template":{"metadata":{"labels":{"x":"y"}},)" + pod +
      "}}";
  const std::string all = "labels annotations finalizers ownerReferences ";
  const struct {
    std::string collection, rest, kept;
  } cases[] = {
      {"/api/v1" + kHome + "services", R"("spec":{"ports":[{"port":80}]})", all},
      {"/api/v1/nodes", R"("spec":{})", all},
      {"/api/v1/namespaces", R"("spec":{})", all},
      {"/apis/apps/v1" + kHome + "replicasets", set, all},
      {"/apis/apps/v1" + kHome + "deployments", set, "annotations finalizers ownerReferences "},
      {"/api/v1" + kHome + "pods", pod, "labels annotations finalizers "},
  };
  for (const auto& one : cases) {
    CAPTURE(one.collection);
    const auto made = rig.ask("POST", one.collection, R"({"metadata":{"name":"x"},)" + one.rest + "}");
    REQUIRE(made.status == 201);
    const auto changed = rig.ask("PATCH", one.collection + "/x/status", kChange, kMerge);
    CHECK(changed.status == 200);
    CHECK(kept(changed.body) == one.kept);
    CHECK(changed.body["spec"] == made.body["spec"]);
  }
}

TEST_CASE("a pod keeps its class when a status leaves it out") {
  PodRig rig;
  const std::string pods = "/api/v1" + kHome + "pods";
  rig.ask("POST", pods, R"({"metadata":{"name":"x"},"spec":{"containers":[{"name":"c","image":"i"}]}})");
  const auto changed =
      rig.ask("PATCH", pods + "/x/status", R"({"status":{"qosClass":null,"phase":"Running"}})", kMerge);
  CHECK(changed.body["status"]["qosClass"].str() == "BestEffort");
}

TEST_CASE("only cpu and memory decide what a pod is promised") {
  PodRig rig;
  const std::string pods = "/api/v1" + kHome + "pods";
  const auto quality = [&](const std::string& resources) {
    return rig
        .ask(
            "POST", pods,
            R"({"metadata":{"generateName":"x"},"spec":{"containers":[{"name":"c","image":"i","resources":)" +
                resources + "}]}}")
        .body["status"]["qosClass"]
        .str();
  };
  CHECK(quality("{}") == "BestEffort");
  CHECK(quality(R"({"limits":{"ephemeral-storage":"1Gi"}})") == "BestEffort");
  CHECK(quality(R"({"requests":{"cpu":"0"}})") == "BestEffort");
  CHECK(quality(R"({"requests":{"cpu":"100m"}})") == "Burstable");
  CHECK(quality(R"({"limits":{"cpu":"1","memory":"1Gi"},"requests":{"cpu":"1000m","memory":"1024Mi"}})") ==
        "Guaranteed");
  CHECK(quality(R"({"limits":{"cpu":"1","memory":"1Gi"},"requests":{"ephemeral-storage":"1Gi"}})") ==
        "Guaranteed");
}

TEST_CASE("a node's agent writes no labels through a pod's status") {
  ServerOptions options = ServerRig::test_options();
  options.tokens.push_back({"node", {"system:node:n", "", {"system:nodes"}}});
  PodRig rig(options);
  const std::string pods = "/api/v1" + kHome + "pods";
  REQUIRE(
      rig.ask("POST", pods,
              R"({"metadata":{"name":"x"},"spec":{"nodeName":"n","containers":[{"name":"c","image":"i"}]}})")
          .status == 201);
  const auto refused = rig.ask("PATCH", pods + "/x/status", kChange, kMerge, "node");
  CHECK(refused.status == 403);
  CHECK(refused.body["message"].str().ends_with("node \"n\" cannot update labels through pod status"));
  CHECK(rig.ask("PATCH", pods + "/x/status", R"({"status":{"phase":"Running"}})", kMerge, "node").status ==
        200);
}

}  // namespace
}  // namespace skiff::kube
