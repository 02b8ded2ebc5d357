// Watches that are open while the definition of what they show changes.
#include "kube/server/definition_guard.h"

#include <doctest/doctest.h>

#include "kube/server/live_watch.h"

namespace skiff::kube {
namespace {

const std::string kDefinitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const std::string kDefinition = kDefinitions + "/lamps.e.example.com";
const std::string kLamps = "/apis/e.example.com/v1/namespaces/default/lamps";
const std::string kMerge = "application/merge-patch+json";
const std::string kJsonPatch = "application/json-patch+json";
const std::string kTable = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

using Events = std::vector<std::string>;

void define(ServerRig& rig, const std::string& plural = "lamps", const std::string& kind = "Lamp") {
  REQUIRE(rig.ask("POST", kDefinitions,
                  R"({"metadata":{"name":")" + plural + R"(.e.example.com"},"spec":{"group":"e.example.com",
    "scope":"Namespaced","names":{"plural":")" +
                      plural + R"(","kind":")" + kind + R"("},"versions":[{"name":"v1",
    "served":true,"storage":true,"additionalPrinterColumns":[{"name":"A","type":"string","jsonPath":".a"}],
    "schema":{"openAPIV3Schema":{"type":"object","properties":{"a":{"type":"string"}}}}}]}})")
              .status == 201);
}

void store_lamp(ServerRig& rig, const std::string& name) {
  REQUIRE(rig.ask("POST", kLamps, R"({"metadata":{"name":")" + name + R"("},"a":"own"})").status == 201);
}

void change(ServerRig& rig, const std::string& patch) {
  REQUIRE(rig.ask("PATCH", kDefinition, patch, kJsonPatch).status == 200);
  rig.loop.run_until_idle();
}

const std::string kNewDefault = R"([{"op":"add","path":
  "/spec/versions/0/schema/openAPIV3Schema/properties/b","value":{"type":"string","default":"B"}}])";
const std::string kNewColumn =
    R"([{"op":"replace","path":"/spec/versions/0/additionalPrinterColumns/0/name","value":"Z"}])";

std::string watch_from(const std::string& revision) {
  return kLamps + "?watch=true&resourceVersion=" + revision;
}

}  // namespace

TEST_CASE("a watch ends when the definition of its kind changes, and goes on in the new form") {
  ServerRig rig;
  define(rig);
  LiveWatch watch(rig, kLamps + "?watch=true&allowWatchBookmarks=true");
  store_lamp(rig, "one");
  const auto seen = watch.values();
  REQUIRE(seen.size() == 1);
  CHECK_FALSE(seen[0]["object"].contains("b"));
  change(rig, kNewDefault);
  CHECK(watch.ended);
  CHECK(watch.events().empty());
  store_lamp(rig, "two");
  LiveWatch next(rig, watch_from(seen[0]["object"]["metadata"]["resourceVersion"].str()));
  const auto more = next.values();
  REQUIRE(more.size() == 1);
  CHECK(more[0]["object"]["metadata"]["name"].str() == "two");
  CHECK(more[0]["object"]["b"].str() == "B");
  CHECK_FALSE(next.ended);
}

TEST_CASE("a table that is watched ends with its columns") {
  ServerRig rig;
  define(rig);
  store_lamp(rig, "one");
  LiveWatch watch(rig, kLamps + "?watch=true", kTable);
  CHECK(watch.values()[0]["object"]["columnDefinitions"].at(1)["name"].str() == "A");
  change(rig, kNewColumn);
  CHECK(watch.ended);
  LiveWatch next(rig, kLamps + "?watch=true", kTable);
  CHECK(next.values()[0]["object"]["columnDefinitions"].at(1)["name"].str() == "Z");
}

TEST_CASE("a change of a definition that shows nothing otherwise ends no watch") {
  ServerRig rig;
  define(rig);
  define(rig, "fans", "Fan");
  LiveWatch watch(rig, kLamps + "?watch=true");
  LiveWatch maps(rig, "/api/v1/namespaces/default/configmaps?watch=true");
  REQUIRE(rig.ask("PATCH", kDefinition, R"({"metadata":{"labels":{"a":"b"}}})", kMerge).status == 200);
  REQUIRE(rig.ask("PATCH", kDefinition + "/status",
                  R"({"status":{"conditions":[{"type":"X","status":"True"}]}})", kMerge)
              .status == 200);
  REQUIRE(rig.ask("PATCH", kDefinitions + "/fans.e.example.com", kNewColumn, kJsonPatch).status == 200);
  store_lamp(rig, "one");
  CHECK(watch.events() == Events{"ADDED one"});
  change(rig, kNewColumn);
  CHECK(watch.ended);
  CHECK_FALSE(maps.ended);
}

TEST_CASE("a watch tells of the last objects of a definition that goes, then ends") {
  ServerRig rig;
  define(rig);
  store_lamp(rig, "one");
  LiveWatch watch(rig, kLamps + "?watch=true");
  REQUIRE(rig.ask("DELETE", kDefinition).status == 200);
  rig.loop.advance(std::chrono::seconds(2));
  CHECK(rig.ask("GET", kDefinition).status == 404);
  CHECK(watch.events() == Events{"ADDED one", "DELETED one"});
  CHECK(watch.ended);
}

TEST_CASE("a watch of a definition that was made anew ends") {
  ServerRig rig;
  define(rig);
  LiveWatch watch(rig, kLamps + "?watch=true");
  REQUIRE(rig.ask("DELETE", kDefinition).status == 200);
  rig.loop.advance(std::chrono::seconds(2));
  define(rig);
  store_lamp(rig, "other");
  rig.loop.run_until_idle();
  CHECK(watch.ended);
  CHECK(watch.events().empty());
}

}  // namespace skiff::kube
