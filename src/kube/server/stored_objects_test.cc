// Custom objects whose definition changes after they were stored.
#include <doctest/doctest.h>

#include "base/strings.h"
#include "kube/server/server_rig.h"

namespace skiff::kube {
namespace {

const std::string kDefinitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const std::string kDefinition = kDefinitions + "/lamps.e.example.com";
const std::string kLamps = "/apis/e.example.com/v1/namespaces/default/lamps";
const std::string kMerge = "application/merge-patch+json";

void define(ServerRig& rig) {
  REQUIRE(rig.ask("POST", kDefinitions, R"({"metadata":{"name":"lamps.e.example.com"},"spec":{
    "group":"e.example.com","scope":"Namespaced","names":{"plural":"lamps","kind":"Lamp"},
    "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object",
      "properties":{"a":{"type":"string"},"spec":{"type":"object","properties":{
        "color":{"type":"string"},"watts":{"type":"integer"}}}}}}}]}})")
              .status == 201);
}

void add_defaults(ServerRig& rig) {
  const std::string at = R"([{"op":"add","path":"/spec/versions/0/schema/openAPIV3Schema/properties/)";
  const std::string patch =
      at + R"(a/default","value":"A"},)" + at.substr(1) + R"(spec/properties/color/default","value":"red"}])";
  REQUIRE(rig.ask("PATCH", kDefinition, patch, "application/json-patch+json").status == 200);
}

// v1alpha1, under which objects are kept, and v1.
void define_two(ServerRig& rig) {
  const std::string schema = R"("schema":{"openAPIV3Schema":{"type":"object"}}})";
  REQUIRE(rig.ask("POST", kDefinitions,
                  R"({"metadata":{"name":"lamps.e.example.com"},"spec":{"group":"e.example.com",
    "scope":"Namespaced","names":{"plural":"lamps","kind":"Lamp"},"versions":[
      {"name":"v1alpha1","served":true,"storage":true,)" +
                      schema + R"(,{"name":"v1","served":true,"storage":false,)" + schema + "]}}")
              .status == 201);
}

void move_storage(ServerRig& rig) {
  const std::string patch = R"([{"op":"replace","path":"/spec/versions/0/storage","value":false},
    {"op":"replace","path":"/spec/versions/1/storage","value":true}])";
  REQUIRE(rig.ask("PATCH", kDefinition, patch, "application/json-patch+json").status == 200);
}

void store_lamp(ServerRig& rig, const std::string& name, const std::string& rest) {
  REQUIRE(rig.ask("POST", kLamps, R"({"metadata":{"name":")" + name + "\"}" + rest + "}").status == 201);
}

TEST_CASE("defaults that are newer than an object show wherever it is read") {
  ServerRig rig;
  define(rig);
  store_lamp(rig, "one", R"(,"spec":{"watts":5})");
  store_lamp(rig, "blue", R"(,"a":"own","spec":{"color":"blue"})");
  const auto before = rig.ask("GET", kLamps + "/one").body;
  CHECK_FALSE(before.contains("a"));
  add_defaults(rig);
  const auto one = rig.ask("GET", kLamps + "/one").body;
  CHECK(one["a"].str() == "A");
  CHECK(one["spec"]["color"].str() == "red");
  CHECK(one["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]);
  const auto listed = rig.ask("GET", kLamps).body["items"];
  REQUIRE(listed.size() == 2);
  CHECK(listed.at(0)["a"].str() == "own");
  CHECK(listed.at(0)["spec"]["color"].str() == "blue");
  CHECK(listed.at(1)["a"].str() == "A");
  const auto chosen = rig.ask("GET", kLamps + "?fieldSelector=metadata.name%3Done").body["items"];
  REQUIRE(chosen.size() == 1);
  CHECK(chosen.at(0)["spec"]["color"].str() == "red");
  const auto watched = rig.ask("GET", kLamps + "?watch=true&timeoutSeconds=1");
  CHECK(watched.text.find(R"("color":"red")") != std::string::npos);
  const auto removed = rig.ask("DELETE", kLamps + "/one?dryRun=All");
  CHECK(removed.status == 200);
}

TEST_CASE("a patch works on an object with the defaults that came later") {
  ServerRig rig;
  define(rig);
  store_lamp(rig, "one", R"(,"spec":{"watts":5})");
  add_defaults(rig);
  const auto patched = rig.ask(
      "PATCH", kLamps + "/one",
      R"([{"op":"test","path":"/a","value":"A"},{"op":"replace","path":"/spec/color","value":"green"}])",
      "application/json-patch+json");
  REQUIRE(patched.status == 200);
  CHECK(patched.body["a"].str() == "A");
  CHECK(rig.ask("GET", kLamps + "/one").body["spec"]["color"].str() == "green");
}

TEST_CASE("what is stored gets the defaults of the version that is stored") {
  ServerRig rig;
  REQUIRE(rig.ask("POST", kDefinitions, R"({"metadata":{"name":"lamps.e.example.com"},"spec":{
    "group":"e.example.com","scope":"Namespaced","names":{"plural":"lamps","kind":"Lamp"},"versions":[
      {"name":"v2","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object",
        "properties":{"a":{"type":"string"}}}}},
      {"name":"v1","served":true,"storage":false,"schema":{"openAPIV3Schema":{"type":"object",
        "properties":{"a":{"type":"string"}}}}}]}})")
              .status == 201);
  store_lamp(rig, "one", "");
  const std::string patch =
      R"([{"op":"add","path":"/spec/versions/0/schema/openAPIV3Schema/properties/a/default","value":"two"},
          {"op":"add","path":"/spec/versions/1/schema/openAPIV3Schema/properties/a/default","value":"first"}])";
  REQUIRE(rig.ask("PATCH", kDefinition, patch, "application/json-patch+json").status == 200);
  CHECK(rig.ask("GET", kLamps + "/one").body["a"].str() == "two");
  store_lamp(rig, "new", "");
  CHECK(rig.ask("GET", kLamps + "/new").body["a"].str() == "first");
}

TEST_CASE("an update that changes nothing keeps the defaults that came later, once") {
  for (const char* how : {"PUT", "PATCH"}) {
    CAPTURE(how);
    ServerRig rig;
    define(rig);
    store_lamp(rig, "one", R"(,"spec":{"watts":5})");
    add_defaults(rig);
    const auto before = rig.ask("GET", kLamps + "/one").body;
    const auto write = [&] {
      return std::string(how) == "PUT" ? rig.ask("PUT", kLamps + "/one", json::encode(before))
                                       : rig.ask("PATCH", kLamps + "/one", "{}", kMerge);
    };
    const auto kept = write();
    REQUIRE(kept.status == 200);
    CHECK_FALSE(kept.body["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]);
    CHECK(kept.body["metadata"]["generation"].as_int() == 1);
    const auto again = rig.ask("PATCH", kLamps + "/one", "{}", kMerge);
    CHECK(again.body["metadata"]["resourceVersion"] == kept.body["metadata"]["resourceVersion"]);
    const std::string drop =
        R"([{"op":"remove","path":"/spec/versions/0/schema/openAPIV3Schema/properties/a/default"}])";
    REQUIRE(rig.ask("PATCH", kDefinition, drop, "application/json-patch+json").status == 200);
    CHECK(rig.ask("GET", kLamps + "/one").body["a"].str() == "A");
  }
}

TEST_CASE("objects are kept under the storage version, whichever version wrote them") {
  ServerRig rig;
  define_two(rig);
  const std::string alpha = replace_all(kLamps, "/v1/", "/v1alpha1/");
  REQUIRE(rig.ask("POST", alpha, R"({"metadata":{"name":"one"}})").status == 201);
  const auto kept = [&] { return *json::parse(*rig.store->get("/e.example.com/lamps/default/one")->value); };
  CHECK(kept()["apiVersion"].str() == "e.example.com/v1alpha1");
  // What changes nothing writes nothing, under either version.
  const auto revision = kept()["metadata"]["resourceVersion"];
  for (const std::string& lamps : {kLamps, alpha}) {
    REQUIRE(rig.ask("PATCH", lamps + "/one", "{}", kMerge).status == 200);
    CHECK(kept()["metadata"]["resourceVersion"] == revision);
  }
  move_storage(rig);
  CHECK(rig.ask("GET", kLamps + "/one").status == 200);
  CHECK(kept()["apiVersion"].str() == "e.example.com/v1alpha1");
  // A migration writes each object back as it is.
  REQUIRE(rig.ask("PUT", alpha + "/one", json::encode(rig.ask("GET", alpha + "/one").body)).status == 200);
  CHECK(kept()["apiVersion"].str() == "e.example.com/v1");
  CHECK_FALSE(kept()["metadata"]["resourceVersion"] == revision);
}

TEST_CASE("a version stays until nobody says any more that objects are stored under it") {
  ServerRig rig;
  define_two(rig);
  move_storage(rig);
  const auto versions = rig.ask("GET", kDefinition).body["status"]["storedVersions"];
  CHECK(json::encode(versions) == R"(["v1alpha1","v1"])");
  const std::string drop = R"([{"op":"remove","path":"/spec/versions/0"}])";
  const auto refused = rig.ask("PATCH", kDefinition, drop, "application/json-patch+json");
  CHECK(refused.status == 422);
  CHECK(refused.body["message"].str() ==
        R"(CustomResourceDefinition.apiextensions.k8s.io "lamps.e.example.com" is invalid: )"
        R"(status.storedVersions[0]: Invalid value: "v1alpha1": missing from spec.versions; v1alpha1 was )"
        "previously a storage version, and must remain in spec.versions until a storage migration ensures no "
        "data remains persisted in v1alpha1 and removes v1alpha1 from status.storedVersions");
  CHECK(rig.ask("GET", kDefinition).body["spec"]["versions"].size() == 2);
  const auto told =
      rig.ask("PATCH", kDefinition + "/status", R"({"status":{"storedVersions":["v1"]}})", kMerge);
  REQUIRE(told.status == 200);
  CHECK(json::encode(told.body["status"]["storedVersions"]) == R"(["v1"])");
  CHECK(rig.ask("PATCH", kDefinition, drop, "application/json-patch+json").status == 200);
  CHECK(rig.ask("GET", replace_all(kLamps, "/v1/", "/v1alpha1/")).status == 404);
  CHECK(rig.ask("GET", kLamps).status == 200);
}

TEST_CASE("the storage version is always one of those that objects are stored under") {
  ServerRig rig;
  define_two(rig);
  const auto said = [&](const std::string& versions) {
    const auto told = rig.ask("PATCH", kDefinition + "/status",
                              R"({"status":{"storedVersions":)" + versions + "}}", kMerge);
    return told.status == 200 ? json::encode(told.body["status"]["storedVersions"]) : told.text;
  };
  CHECK(said("[]") == R"(["v1alpha1"])");
  CHECK(said("null") == R"(["v1alpha1"])");
  CHECK(said(R"(["v1"])") == R"(["v1","v1alpha1"])");
  // Only the status says it, not a change of the definition.
  const auto changed = rig.ask("PATCH", kDefinition, R"({"status":{"storedVersions":["v1alpha1"]}})", kMerge);
  CHECK(json::encode(changed.body["status"]["storedVersions"]) == R"(["v1","v1alpha1"])");
}

}  // namespace
}  // namespace skiff::kube
