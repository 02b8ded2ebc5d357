// What others write into the status of a definition.
#include <doctest/doctest.h>

#include "kube/server/server_rig.h"

namespace skiff::kube {
namespace {

const std::string kDefinitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const std::string kDefinition = kDefinitions + "/lamps.e.example.com";
const std::string kMerge = "application/merge-patch+json";
const std::string kForeign = R"({"type":"StatusUpdate","status":"True","reason":"E2E","message":"updated",
  "lastTransitionTime":"2026-01-01T00:00:00Z"})";

void define(ServerRig& rig) {
  REQUIRE(rig.ask("POST", kDefinitions, R"({"metadata":{"name":"lamps.e.example.com"},"spec":{
    "group":"e.example.com","scope":"Namespaced","names":{"plural":"lamps","kind":"Lamp"},
    "versions":[{"name":"v1","served":true,"storage":true,
      "schema":{"openAPIV3Schema":{"type":"object"}}}]}})")
              .status == 201);
}

const json::Value& condition(const json::Value& definition, std::string_view type) {
  static const json::Value none;
  for (const auto& one : definition["status"]["conditions"].items()) {
    if (one["type"].str() == type) return one;
  }
  return none;
}

TEST_CASE("conditions of others stay in a definition's status beside the server's own") {
  ServerRig rig;
  define(rig);
  const auto established = condition(rig.ask("GET", kDefinition).body, "Established");
  rig.loop.advance(std::chrono::seconds(5));
  const auto patched =
      rig.ask("PATCH", kDefinition + "/status", R"({"status":{"conditions":[)" + kForeign + "]}}", kMerge);
  REQUIRE(patched.status == 200);
  CHECK(condition(patched.body, "StatusUpdate")["message"].str() == "updated");
  CHECK(condition(patched.body, "NamesAccepted")["status"].str() == "True");
  CHECK(condition(patched.body, "Established") == established);
  const auto changed = rig.ask("PATCH", kDefinition, R"({"metadata":{"labels":{"a":"b"}}})", kMerge);
  CHECK(condition(changed.body, "StatusUpdate")["status"].str() == "True");
  CHECK(condition(rig.ask("GET", kDefinition).body, "StatusUpdate")["reason"].str() == "E2E");
  CHECK(rig.ask("GET", "/apis/e.example.com/v1/lamps").status == 200);
}

TEST_CASE("a definition's status is replaced, and a condition of others goes with it") {
  ServerRig rig;
  define(rig);
  auto now = rig.ask("GET", kDefinition).body;
  now.edit("status").edit("conditions").push_back(*json::parse(kForeign));
  const auto put = rig.ask("PUT", kDefinition + "/status", json::encode(now));
  REQUIRE(put.status == 200);
  CHECK(condition(put.body, "StatusUpdate")["status"].str() == "True");
  const auto emptied = rig.ask("PATCH", kDefinition + "/status", R"({"status":{"conditions":[]}})", kMerge);
  REQUIRE(emptied.status == 200);
  CHECK(condition(emptied.body, "StatusUpdate").is_null());
  CHECK(condition(emptied.body, "Established")["status"].str() == "True");
}

TEST_CASE("what the server says of a definition is not for others to say") {
  ServerRig rig;
  define(rig);
  const auto patched =
      rig.ask("PATCH", kDefinition + "/status",
              R"({"status":{"conditions":[{"type":"Established","status":"False"}]}})", kMerge);
  REQUIRE(patched.status == 200);
  CHECK(condition(patched.body, "Established")["status"].str() == "True");
  CHECK(rig.ask("GET", "/apis/e.example.com/v1/lamps").status == 200);
}

}  // namespace
}  // namespace skiff::kube
