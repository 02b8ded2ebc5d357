// Watches in all their forms, against the server in memory.
#include <doctest/doctest.h>

#include "kube/server/live_watch.h"

namespace skiff::kube {
namespace {

const std::string kMaps = "/api/v1/namespaces/default/configmaps";
const std::string kMerge = "application/merge-patch+json";

using Events = std::vector<std::string>;

void make(ServerRig& rig, const std::string& name, const std::string& labels = "{}") {
  const std::string body = R"({"metadata":{"name":")" + name + R"(","labels":)" + labels + "}}";
  REQUIRE(rig.ask("POST", kMaps, body).status == 201);
}

std::string revision(ServerRig& rig) {
  return rig.ask("GET", kMaps).body["metadata"]["resourceVersion"].str();
}

TEST_CASE("a watch without a revision, or from 0, begins with what is there") {
  for (const char* start : {"", "&resourceVersion=0", "&resourceVersion="}) {
    ServerRig rig;
    make(rig, "a");
    LiveWatch watch(rig, kMaps + "?watch=true" + start);
    CHECK(watch.status() == 200);
    CHECK(watch.events() == Events{"ADDED a"});
    rig.ask("PATCH", kMaps + "/a", R"({"data":{"x":"y"}})", kMerge);
    rig.ask("DELETE", kMaps + "/a");
    CHECK(watch.events() == Events{"MODIFIED a", "DELETED a"});
  }
}

TEST_CASE("a watch from a revision shows what came after it") {
  ServerRig rig;
  make(rig, "a");
  const std::string from = revision(rig);
  make(rig, "b");
  LiveWatch watch(rig, kMaps + "?watch=true&resourceVersion=" + from);
  make(rig, "c");
  CHECK(watch.events() == Events{"ADDED b", "ADDED c"});
}

TEST_CASE("a deleted object carries the revision of its deletion") {
  ServerRig rig;
  make(rig, "a");
  LiveWatch watch(rig, kMaps + "?watch=true&resourceVersion=" + revision(rig));
  rig.ask("DELETE", kMaps + "/a");
  const auto events = watch.values();
  REQUIRE(events.size() == 1);
  CHECK(events[0]["object"]["metadata"]["resourceVersion"].str() == revision(rig));
}

TEST_CASE("sendInitialEvents ends the beginning with a marked bookmark") {
  ServerRig rig;
  make(rig, "a");
  LiveWatch watch(rig, kMaps +
                           "?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
                           "&allowWatchBookmarks=true");
  const auto events = watch.values();
  REQUIRE(events.size() == 2);
  CHECK(events[1]["type"].str() == "BOOKMARK");
  CHECK(events[1]["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"].str() == "true");
  CHECK(events[1]["object"]["metadata"]["resourceVersion"].str() == revision(rig));
}

TEST_CASE("a bookmark has the form that was asked for") {
  ServerRig rig;
  make(rig, "a");
  const std::string target = kMaps +
                             "?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
                             "&allowWatchBookmarks=true";
  const auto bookmark = [&](const std::string& form) {
    LiveWatch watch(rig, target, "application/json;as=" + form + ";g=meta.k8s.io;v=v1");
    const auto events = watch.values();
    return events.empty() ? json::Value() : events.back()["object"];
  };
  const auto partial = bookmark("PartialObjectMetadata");
  CHECK(partial["kind"].str() == "PartialObjectMetadata");
  CHECK(partial["apiVersion"].str() == "meta.k8s.io/v1");
  CHECK(partial["metadata"]["annotations"]["k8s.io/initial-events-end"].str() == "true");
  CHECK(bookmark("Table")["kind"].str() == "Table");
}

TEST_CASE("sendInitialEvents needs its match, and can be declined") {
  ServerRig rig;
  make(rig, "a");
  const auto refused = rig.ask("GET", kMaps + "?watch=true&sendInitialEvents=true");
  CHECK(refused.status == 422);
  CHECK(
      refused.body["message"].str() ==
      "ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires "
      "setting resourceVersionMatch to NotOlderThan");
  LiveWatch watch(rig, kMaps + "?watch=true&sendInitialEvents=false&resourceVersionMatch=NotOlderThan");
  make(rig, "b");
  CHECK(watch.events() == Events{"ADDED b"});
}

TEST_CASE("bookmarks come each minute and at the end, when they are asked for") {
  ServerRig rig;
  const std::string from = revision(rig);
  LiveWatch with(rig,
                 kMaps + "?watch=true&allowWatchBookmarks=true&timeoutSeconds=90&resourceVersion=" + from);
  LiveWatch without(rig, kMaps + "?watch=true&timeoutSeconds=90&resourceVersion=" + from);
  rig.loop.advance(std::chrono::seconds(61));
  CHECK(with.events() == Events{"BOOKMARK"});
  CHECK_FALSE(with.ended);
  rig.loop.advance(std::chrono::seconds(30));
  CHECK(with.events() == Events{"BOOKMARK"});
  CHECK(with.ended);
  CHECK(without.events().empty());
  CHECK(without.ended);
}

TEST_CASE("a watch that names no timeout ends between half an hour and an hour") {
  ServerRig rig;
  LiveWatch watch(rig, kMaps + "?watch=true");
  rig.loop.advance(std::chrono::seconds(1799));
  CHECK_FALSE(watch.ended);
  rig.loop.advance(std::chrono::seconds(1802));
  CHECK(watch.ended);
}

TEST_CASE("objects that enter and leave a label selector are added and deleted") {
  ServerRig rig;
  LiveWatch watch(rig, kMaps + "?watch=true&labelSelector=app%3Dweb");
  make(rig, "a", R"({"app":"other"})");
  CHECK(watch.events().empty());
  rig.ask("PATCH", kMaps + "/a", R"({"metadata":{"labels":{"app":"web"}}})", kMerge);
  rig.ask("PATCH", kMaps + "/a", R"({"data":{"x":"y"}})", kMerge);
  CHECK(watch.events() == Events{"ADDED a", "MODIFIED a"});
  rig.ask("PATCH", kMaps + "/a", R"({"metadata":{"labels":{"app":"other"}}})", kMerge);
  const auto left = watch.values();
  REQUIRE(left.size() == 1);
  CHECK(left[0]["type"].str() == "DELETED");
  CHECK(left[0]["object"]["metadata"]["labels"]["app"].str() == "web");
  CHECK(left[0]["object"]["metadata"]["resourceVersion"].str() == revision(rig));
  rig.ask("DELETE", kMaps + "/a");
  CHECK(watch.events().empty());
}

TEST_CASE("a field selector follows one object by its name") {
  ServerRig rig;
  make(rig, "a");
  make(rig, "b");
  LiveWatch watch(rig, kMaps + "?watch=true&fieldSelector=metadata.name%3Db");
  rig.ask("PATCH", kMaps + "/a", R"({"data":{"x":"y"}})", kMerge);
  rig.ask("DELETE", kMaps + "/b");
  CHECK(watch.events() == Events{"ADDED b", "DELETED b"});
}

TEST_CASE("pods enter a watch of their node when they are bound") {
  ServerRig rig;
  const std::string pods = "/api/v1/namespaces/default/pods";
  rig.ask("POST", "/api/v1/namespaces/default/serviceaccounts", R"({"metadata":{"name":"default"}})");
  LiveWatch watch(rig, "/api/v1/pods?watch=true&fieldSelector=spec.nodeName%3Dn1");
  rig.ask("POST", pods, R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"x"}]}})");
  CHECK(watch.events().empty());
  rig.ask("POST", pods + "/p/binding", R"({"metadata":{"name":"p"},"target":{"kind":"Node","name":"n1"}})");
  CHECK(watch.events() == Events{"ADDED p"});
}

TEST_CASE("a Table watch names its columns once") {
  ServerRig rig;
  make(rig, "a");
  LiveWatch watch(rig, kMaps + "?watch=true",
                  "application/json;as=Table;v=v1;g=meta.k8s.io,application/json");
  make(rig, "b");
  const auto events = watch.values();
  REQUIRE(events.size() == 2);
  CHECK(events[0]["object"]["kind"].str() == "Table");
  CHECK(events[0]["object"]["columnDefinitions"].at(0)["name"].str() == "Name");
  CHECK(events[0]["object"]["rows"].at(0)["cells"].at(0).str() == "a");
  CHECK(events[1]["object"]["columnDefinitions"].is_null());
  CHECK(events[1]["object"]["rows"].at(0)["cells"].at(0).str() == "b");
}

TEST_CASE("a watch of metadata carries nothing else") {
  ServerRig rig;
  make(rig, "a");
  LiveWatch watch(rig, kMaps + "?watch=true",
                  "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json");
  const auto events = watch.values();
  REQUIRE(events.size() == 1);
  CHECK(events[0]["object"]["kind"].str() == "PartialObjectMetadata");
  CHECK(events[0]["object"].size() == 3);
}

io::Task<void> compact(store::Store& store) {
  auto done = co_await store.compact(store.current());
  SKIFF_CHECK(done.has_value());
}

TEST_CASE("a watch from a compacted revision gets an error event and ends") {
  ServerRig rig;
  make(rig, "a");
  make(rig, "b");
  rig.run(compact(*rig.store));
  LiveWatch watch(rig, kMaps + "?watch=true&resourceVersion=1");
  const auto events = watch.values();
  REQUIRE(events.size() == 1);
  CHECK(watch.status() == 200);
  CHECK(events[0]["type"].str() == "ERROR");
  CHECK(events[0]["object"]["code"].as_int() == 410);
  CHECK(events[0]["object"]["reason"].str() == "Expired");
  CHECK(events[0]["object"]["message"].str() == "too old resource version: 1 (" + revision(rig) + ")");
  CHECK(watch.ended);
}

TEST_CASE("a list of a compacted revision is refused with 410, a continued one with a token for the rest") {
  ServerRig rig;
  for (const char* name : {"a", "b", "c"}) make(rig, name);
  const std::string from = revision(rig);
  const auto page = rig.ask("GET", kMaps + "?limit=1");
  const std::string token = page.body["metadata"]["continue"].str();
  CHECK(page.body["metadata"]["remainingItemCount"].as_int() == 2);
  make(rig, "d");
  rig.run(compact(*rig.store));
  CHECK(rig.ask("GET", kMaps + "?resourceVersionMatch=Exact&resourceVersion=" + from).status == 410);
  const auto expired = rig.ask("GET", kMaps + "?limit=1&continue=" + token);
  CHECK(expired.status == 410);
  CHECK(expired.body["reason"].str() == "Expired");
  const std::string rest = expired.body["metadata"]["continue"].str();
  const auto inconsistent = rig.ask("GET", kMaps + "?continue=" + rest);
  CHECK(inconsistent.status == 200);
  CHECK(inconsistent.body["items"].size() == 3);
  CHECK(inconsistent.body["items"].at(2)["metadata"]["name"].str() == "d");
}

TEST_CASE("a revision of the future is refused by lists and waited for by watches") {
  ServerRig rig;
  const auto list = rig.ask("GET", kMaps + "?resourceVersion=9999");
  CHECK(list.status == 504);
  CHECK(list.headers.get("Retry-After") == "1");
  LiveWatch watch(rig, kMaps + "?watch=true&resourceVersion=9999");
  make(rig, "a");
  CHECK(watch.status() == 200);
  CHECK(watch.events().empty());
}

TEST_CASE("a watch of what cannot be is refused before it begins") {
  ServerRig rig;
  CHECK(rig.ask("GET", kMaps + "?watch=true&timeoutSeconds=x").body["message"].str() ==
        "strconv.ParseInt: parsing \"x\": invalid syntax");
  CHECK(rig.ask("GET", kMaps + "?watch=true&labelSelector=a%3D%3D%3D").status == 400);
  CHECK(rig.ask("GET", kMaps + "?watch=true&fieldSelector=data.a%3Db").body["message"].str() ==
        "\"data.a\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"");
  CHECK(rig.ask("GET", "/api/v1/nothings?watch=true").status == 404);
}

}  // namespace
}  // namespace skiff::kube
