// Custom objects whose definition changes after they were stored.
#include <doctest/doctest.h>

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

}  // namespace
}  // namespace skiff::kube
