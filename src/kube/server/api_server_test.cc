#include "kube/server/api_server.h"

#include <doctest/doctest.h>

#include "kube/server/server_rig.h"

namespace skiff::kube {
namespace {

constexpr const char* kMaps = "/api/v1/namespaces/default/configmaps";
constexpr const char* kMap = "/api/v1/namespaces/default/configmaps/cm";
constexpr const char* kNewMap =
    R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"cm","labels":{"app":"web"}},"data":{"a":"b"}})";

TEST_CASE("an object is created, read, patched, replaced and deleted") {
  ServerRig rig;
  const auto made = rig.ask("POST", kMaps, kNewMap);
  REQUIRE(made.status == 201);
  CHECK(made.body["metadata"]["namespace"].str() == "default");
  CHECK_FALSE(made.body["metadata"]["uid"].str().empty());
  CHECK(rig.ask("GET", kMap).body["data"]["a"].str() == "b");
  const auto patched = rig.ask("PATCH", kMap, R"({"data":{"c":"d"}})", "application/merge-patch+json");
  CHECK(patched.status == 200);
  CHECK(patched.body["data"].size() == 2);
  json::Value stale = made.body;
  stale.edit("data").set("a", "new");
  const auto refused = rig.ask("PUT", kMap, json::encode(stale));
  CHECK(refused.status == 409);
  CHECK(refused.body["message"].str() ==
        "Operation cannot be fulfilled on configmaps \"cm\": the object has been modified; please apply your "
        "changes "
        "to the latest version and try again");
  CHECK(rig.ask("DELETE", kMap).body["status"].str() == "Success");
  CHECK(rig.ask("GET", kMap).status == 404);
}

TEST_CASE("a write that changes nothing is not stored") {
  ServerRig rig;
  const auto made = rig.ask("POST", kMaps, kNewMap);
  const auto same = rig.ask("PATCH", kMap, R"({"data":{"a":"b"}})", "application/merge-patch+json");
  CHECK(same.body["metadata"]["resourceVersion"] == made.body["metadata"]["resourceVersion"]);
}

TEST_CASE("a dry run stores nothing") {
  ServerRig rig;
  CHECK(rig.ask("POST", std::string(kMaps) + "?dryRun=All", kNewMap).status == 201);
  CHECK(rig.ask("GET", kMap).status == 404);
}

TEST_CASE("lists come in pages of one revision") {
  ServerRig rig;
  for (const char* name : {"a", "b", "c"}) {
    rig.ask("POST", kMaps, std::string(R"({"metadata":{"name":")") + name + "\"}}");
  }
  const auto first = rig.ask("GET", std::string(kMaps) + "?limit=2");
  CHECK(first.body["items"].size() == 2);
  const std::string token = first.body["metadata"]["continue"].str();
  REQUIRE_FALSE(token.empty());
  const auto second = rig.ask("GET", std::string(kMaps) + "?limit=2&continue=" + token);
  CHECK(second.body["items"].size() == 1);
  CHECK(second.body["metadata"]["continue"].str().empty());
}

TEST_CASE("a watch with a selector shows entering and leaving") {
  ServerRig rig;
  rig.ask("POST", kMaps, kNewMap);
  const std::string from = rig.ask("GET", kMaps).body["metadata"]["resourceVersion"].str();
  rig.ask("PATCH", kMap, R"({"metadata":{"labels":{"app":"other"}}})", "application/merge-patch+json");
  rig.ask("PATCH", kMap, R"({"metadata":{"labels":{"app":"web"}}})", "application/merge-patch+json");
  const auto seen =
      rig.ask("GET", std::string(kMaps) +
                         "?watch=true&timeoutSeconds=1&labelSelector=app%3Dweb&resourceVersion=" + from);
  CHECK(seen.text.starts_with(R"({"type":"DELETED")"));
  CHECK(seen.text.find(R"({"type":"ADDED")") != std::string::npos);
}

TEST_CASE("anonymous callers see health alone and unbound users nothing") {
  ServerRig rig;
  CHECK(rig.ask("GET", "/readyz", "", "", "").status == 200);
  CHECK(rig.ask("GET", kMaps, "", "", "").status == 403);
  CHECK(rig.ask("GET", kMaps, "", "", "wrong").status == 401);
  CHECK(rig.ask("GET", kMaps, "", "", "jane").body["message"].str() ==
        "configmaps is forbidden: User \"jane\" cannot list resource \"configmaps\" in API group \"\" in the "
        "namespace "
        "\"default\"");
}

TEST_CASE("a pod waits for its service account and is bound once") {
  ServerRig rig;
  const std::string pods = "/api/v1/namespaces/default/pods";
  const std::string pod = R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"x"}]}})";
  CHECK(rig.ask("POST", pods, pod).status == 403);
  rig.ask("POST", "/api/v1/namespaces/default/serviceaccounts", R"({"metadata":{"name":"default"}})");
  REQUIRE(rig.ask("POST", pods, pod).status == 201);
  const std::string binding = R"({"metadata":{"name":"p"},"target":{"kind":"Node","name":"n1"}})";
  CHECK(rig.ask("POST", pods + "/p/binding", binding).status == 201);
  CHECK(rig.ask("POST", pods + "/p/binding", binding).status == 409);
  const auto leaving = rig.ask("DELETE", pods + "/p");
  CHECK(leaving.body["metadata"]["deletionGracePeriodSeconds"].as_int() == 30);
  rig.ask("DELETE", pods + "/p", R"({"gracePeriodSeconds":0})");
  CHECK(rig.ask("GET", pods + "/p").status == 404);
}

TEST_CASE("finalizers hold a deleted object until the last is gone") {
  ServerRig rig;
  rig.ask("POST", kMaps, R"({"metadata":{"name":"cm","finalizers":["example.com/f"]}})");
  CHECK_FALSE(rig.ask("DELETE", kMap).body["metadata"]["deletionTimestamp"].is_null());
  CHECK(rig.ask("GET", kMap).status == 200);
  rig.ask("PATCH", kMap, R"({"metadata":{"finalizers":null}})", "application/merge-patch+json");
  CHECK(rig.ask("GET", kMap).status == 404);
}

TEST_CASE("a deployment keeps its generation while only its status changes") {
  ServerRig rig;
  const std::string all = "/apis/apps/v1/namespaces/default/deployments";
  const auto made =
      rig.ask("POST", all, R"({"metadata":{"name":"web"},"spec":{"selector":{"matchLabels":{"a":"b"}},
    "template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"x"}]}}}})");
  REQUIRE(made.status == 201);
  CHECK(made.body["metadata"]["generation"].as_int() == 1);
  const auto status =
      rig.ask("PATCH", all + "/web/status", R"({"status":{"replicas":1}})", "application/merge-patch+json");
  CHECK(status.body["metadata"]["generation"].as_int() == 1);
  CHECK(status.body["status"]["replicas"].as_int() == 1);
  const auto scaled =
      rig.ask("PATCH", all + "/web/scale", R"({"spec":{"replicas":3}})", "application/merge-patch+json");
  CHECK(scaled.body["spec"]["replicas"].as_int() == 3);
  net::Request table;
  table.target = all + "/web/scale";
  table.headers.set("Authorization", "Bearer master");
  table.headers.set("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io");
  CHECK(rig.ask(table, "").body["columnDefinitions"].items()[1]["name"].str() == "Desired");
  CHECK(rig.ask("GET", all + "/web").body["metadata"]["generation"].as_int() == 2);
}

}  // namespace
}  // namespace skiff::kube
