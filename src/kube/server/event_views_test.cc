// Events of v1 and of events.k8s.io/v1: one collection, two views.
#include <doctest/doctest.h>

#include "base/strings.h"
#include "kube/server/server_rig.h"

namespace skiff::kube {
namespace {

const std::string kCore = "/api/v1/namespaces/default/events";
const std::string kNewer = "/apis/events.k8s.io/v1/namespaces/default/events";
const std::string kMerge = "application/merge-patch+json";
const std::string kStrategic = "application/strategic-merge-patch+json";

const std::string kNewerBody =
    R"({"apiVersion":"events.k8s.io/v1","kind":"Event","metadata":{"name":"newer","labels":{"app":"web"}},)"
    R"("eventTime":"2026-01-01T00:00:00.000001Z","reportingController":"example.com/maker",)"
    R"("reportingInstance":"maker-1","action":"Doing","reason":"Made","type":"Normal","note":"it is made",)"
    R"("regarding":{"kind":"Pod","namespace":"default","name":"web"},"related":{"kind":"Node","name":"one"}})";
const std::string kCoreBody =
    R"({"apiVersion":"v1","kind":"Event","metadata":{"name":"core"},"reason":"Pulled","type":"Warning",)"
    R"("message":"it is pulled","involvedObject":{"kind":"Pod","namespace":"default","name":"api"},)"
    R"("source":{"component":"kubelet","host":"one"},"count":3,)"
    R"("firstTimestamp":"2026-01-01T00:00:00Z","lastTimestamp":"2026-01-01T00:00:05Z"})";

void make_both(ServerRig& rig) {
  REQUIRE(rig.ask("POST", kNewer, kNewerBody).status == 201);
  REQUIRE(rig.ask("POST", kCore, kCoreBody).status == 201);
}

json::Value without_metadata(json::Value object) {
  object.erase("metadata");
  return object;
}

std::string names(const TestAnswer& answer) {
  std::vector<std::string> out;
  for (const auto& item : answer.body["items"].items()) out.push_back(item["metadata"]["name"].str());
  return join(out, " ");
}

std::string selected(ServerRig& rig, const std::string& collection, const std::string& selector) {
  const auto answer = rig.ask("GET", collection + "?fieldSelector=" + selector);
  return answer.status == 200 ? names(answer) : answer.body["message"].str();
}

// "field: message" of every cause.
std::string causes(const TestAnswer& answer) {
  std::vector<std::string> out;
  for (const auto& cause : answer.body["details"]["causes"].items())
    out.push_back(cause["field"].str() + ": " + cause["message"].str());
  return join(out, "\n");
}

std::string edited(const std::string& body, const std::string& from, const std::string& to) {
  REQUIRE(body.contains(from));
  return replace_all(body, from, to);
}

}  // namespace

TEST_CASE("an event of events.k8s.io is an event of v1 under other names") {
  ServerRig rig;
  make_both(rig);
  const auto core = rig.ask("GET", kCore + "/newer");
  CHECK(core.status == 200);
  CHECK(json::encode(without_metadata(core.body)) ==
        R"({"kind":"Event","apiVersion":"v1","involvedObject":{"kind":"Pod","namespace":"default",)"
        R"("name":"web"},"reason":"Made","message":"it is made","source":{},"firstTimestamp":null,)"
        R"("lastTimestamp":null,"type":"Normal","eventTime":"2026-01-01T00:00:00.000001Z",)"
        R"("action":"Doing","related":{"kind":"Node","name":"one"},)"
        R"("reportingComponent":"example.com/maker","reportingInstance":"maker-1"})");
  const auto newer = rig.ask("GET", kNewer + "/core");
  CHECK(newer.status == 200);
  CHECK(json::encode(without_metadata(newer.body)) ==
        R"({"kind":"Event","apiVersion":"events.k8s.io/v1","eventTime":null,"reason":"Pulled",)"
        R"("regarding":{"kind":"Pod","namespace":"default","name":"api"},"note":"it is pulled",)"
        R"("type":"Warning","deprecatedSource":{"component":"kubelet","host":"one"},)"
        R"("deprecatedFirstTimestamp":"2026-01-01T00:00:00Z",)"
        R"("deprecatedLastTimestamp":"2026-01-01T00:00:05Z","deprecatedCount":3})");
  for (const char* name : {"/newer", "/core"}) {
    CHECK(rig.ask("GET", kCore + name).body["metadata"] == rig.ask("GET", kNewer + name).body["metadata"]);
  }
  CHECK(rig.ask("POST", kCore, edited(kCoreBody, R"("name":"core")", R"("name":"newer")")).status == 409);
}

TEST_CASE("a list of either group has the events of both, in its own words") {
  ServerRig rig;
  make_both(rig);
  const auto core = rig.ask("GET", kCore);
  CHECK(names(core) == "core newer");
  CHECK(core.body["apiVersion"].str() == "v1");
  CHECK(core.body["items"].at(1)["message"].str() == "it is made");
  const auto newer = rig.ask("GET", "/apis/events.k8s.io/v1/events");
  CHECK(names(newer) == "core newer");
  CHECK(newer.body["apiVersion"].str() == "events.k8s.io/v1");
  for (const auto& item : newer.body["items"].items()) {
    CHECK(item["apiVersion"].str() == "events.k8s.io/v1");
    CHECK(item.contains("regarding"));
    CHECK_FALSE(item.contains("involvedObject"));
  }
  const auto page = rig.ask("GET", kNewer + "?limit=1");
  CHECK(names(page) == "core");
  const auto rest = rig.ask("GET", kNewer + "?limit=1&continue=" + page.body["metadata"]["continue"].str());
  CHECK(names(rest) == "newer");
  CHECK(names(rig.ask("GET", kNewer + "?labelSelector=app%3Dweb")) == "newer");
}

TEST_CASE("a watch of either group tells of the events of both") {
  ServerRig rig;
  make_both(rig);
  REQUIRE(rig.ask("PATCH", kCore + "/newer", R"({"type":"Warning"})", kMerge).status == 200);
  REQUIRE(rig.ask("DELETE", kNewer + "/core").status == 200);
  const auto watched = [&](const std::string& collection, const std::string& query) {
    std::vector<std::string> out;
    const auto answer = rig.ask("GET", collection + "?watch=true&timeoutSeconds=1&resourceVersion=1" + query);
    for (const auto& line : split(answer.text, '\n')) {
      const auto event = json::parse(line);
      if (!event) continue;
      const auto& object = (*event)["object"];
      out.push_back((*event)["type"].str() + " " + object["apiVersion"].str() + " " +
                    object["message"].str() + object["note"].str());
    }
    return join(out, "\n");
  };
  CHECK(watched(kCore, "") ==
        "ADDED v1 it is made\nADDED v1 it is pulled\nMODIFIED v1 it is made\nDELETED v1 it is pulled");
  CHECK(watched(kNewer, "") ==
        "ADDED events.k8s.io/v1 it is made\nADDED events.k8s.io/v1 it is pulled\n"
        "MODIFIED events.k8s.io/v1 it is made\nDELETED events.k8s.io/v1 it is pulled");
  // It leaves the selector.
  CHECK(watched(kNewer, "&fieldSelector=type%3DNormal") ==
        "ADDED events.k8s.io/v1 it is made\nDELETED events.k8s.io/v1 it is made");
}

TEST_CASE("writes through one group are seen through the other") {
  ServerRig rig;
  make_both(rig);
  const std::string series = R"({"series":{"count":100,"lastObservedTime":"2026-01-01T00:01:00.000002Z"}})";
  const auto patched = rig.ask("PATCH", kNewer + "/newer", series, kStrategic);
  REQUIRE(patched.status == 200);
  CHECK(patched.body["apiVersion"].str() == "events.k8s.io/v1");
  auto core = rig.ask("GET", kCore + "/newer").body;
  CHECK(core["series"]["count"].as_int() == 100);
  CHECK(core["series"]["lastObservedTime"].str() == "2026-01-01T00:01:00.000002Z");
  core.edit("series").set("count", 101);
  REQUIRE(rig.ask("PUT", kCore + "/newer", json::encode(core)).status == 200);
  auto newer = rig.ask("GET", kNewer + "/newer").body;
  CHECK(newer["series"]["count"].as_int() == 101);
  newer.edit("series").set("count", 102);
  REQUIRE(rig.ask("PUT", kNewer + "/newer", json::encode(newer)).status == 200);
  CHECK(rig.ask("GET", kCore + "/newer").body["series"]["count"].as_int() == 102);
  // Of a revision that has passed since.
  CHECK(rig.ask("PUT", kCore + "/newer", json::encode(core)).status == 409);
  const std::string revision = rig.ask("GET", kCore + "/newer").body["metadata"]["resourceVersion"].str();
  CHECK(rig.ask("PUT", kNewer + "/newer?dryRun=All", json::encode(rig.ask("GET", kNewer + "/newer").body))
            .body["metadata"]["resourceVersion"]
            .str() == revision);
}

TEST_CASE("an event that one group deletes is gone from both") {
  ServerRig rig;
  make_both(rig);
  CHECK(rig.ask("DELETE", kCore + "/newer").status == 200);
  CHECK(rig.ask("GET", kNewer + "/newer").status == 404);
  CHECK(rig.ask("DELETE", kNewer + "/core").status == 200);
  CHECK(rig.ask("GET", kCore + "/core").status == 404);
  make_both(rig);
  const auto some = rig.ask("DELETE", kNewer + "?fieldSelector=regarding.name%3Dapi");
  CHECK(names(some) == "core");
  CHECK(some.body["items"].at(0)["note"].str() == "it is pulled");
  CHECK(names(rig.ask("GET", kCore)) == "newer");
  CHECK(rig.ask("DELETE", kNewer).status == 200);
  CHECK(names(rig.ask("GET", kCore)).empty());
}

TEST_CASE("field selectors are those of the group that is asked") {
  ServerRig rig;
  make_both(rig);
  CHECK(selected(rig, kCore, "source%3Dexample.com/maker") == "newer");
  CHECK(selected(rig, kCore, "source%3Dkubelet") == "core");
  CHECK(selected(rig, kCore, "reportingComponent%3Dexample.com/maker") == "newer");
  CHECK(selected(rig, kCore, "involvedObject.name%3Dapi,involvedObject.kind%3DPod") == "core");
  CHECK(selected(rig, kCore, "reason!%3DMade") == "core");
  CHECK(selected(rig, kNewer, "reportingController%3Dexample.com/maker") == "newer");
  CHECK(selected(rig, kNewer, "source%3Dkubelet") == "core");
  CHECK(selected(rig, kNewer, "regarding.name%3Dweb,regarding.namespace%3Ddefault") == "newer");
  CHECK(selected(rig, kNewer, "type%3DWarning") == "core");
  CHECK(selected(rig, kCore, "reportingController%3Dx") == "field label not supported: reportingController");
  CHECK(selected(rig, kCore, "regarding.name%3Dx") == "field label not supported: regarding.name");
  CHECK(selected(rig, kNewer, "reportingComponent%3Dx") == "field label not supported: reportingComponent");
  CHECK(selected(rig, kNewer, "involvedObject.name%3Dx") == "field label not supported: involvedObject.name");
  CHECK(selected(rig, kNewer, "regarding.other%3Dx") == "field label not supported: regarding.other");
}

TEST_CASE("events of events.k8s.io are checked more strictly than those of v1") {
  ServerRig rig;
  const auto untimed = rig.ask(
      "POST", kNewer,
      R"({"metadata":{"name":"e"},"regarding":{"namespace":"default"},"series":{"count":1},"type":"Other",)"
      R"("deprecatedCount":1,"deprecatedSource":{"host":"h"},)"
      R"("deprecatedFirstTimestamp":"2026-01-01T00:00:00Z"})");
  CHECK(untimed.status == 422);
  CHECK(causes(untimed) ==
        "series.count: Invalid value: \"\": should be at least 2\n"
        "series.lastObservedTime: Required value\n"
        "eventTime: Required value\n"
        "type: Invalid value: \"\": has invalid value: Other\n"
        "firstTimestamp: Invalid value: \"\": needs to be unset\n"
        "count: Invalid value: \"\": needs to be unset\n"
        "source: Invalid value: \"\": needs to be unset");
  // The same is an event of v1.
  CHECK(rig.ask("POST", kCore,
                R"({"metadata":{"name":"E"},"involvedObject":{"namespace":"default"},"series":{"count":1},)"
                R"("type":"Other","count":1,"source":{"host":"h"},"firstTimestamp":"2026-01-01T00:00:00Z"})")
            .status == 201);
  // With a time, events of v1 too have to say who reports.
  const auto timed =
      rig.ask("POST", kCore,
              R"({"metadata":{"name":"e"},"eventTime":"2026-01-01T00:00:00.000000Z",)"
              R"("reportingComponent":"a b","reason":")" +
                  std::string(129, 'r') + R"(","message":")" + std::string(1025, 'm') + R"("})");
  CHECK(timed.status == 422);
  const std::string said = causes(timed);
  CHECK(said.starts_with("reportingComponent: Invalid value: \"a b\": name part must consist of"));
  CHECK(
      said.ends_with("reportingInstance: Required value\naction: Required value\n"
                     "reason: Invalid value: \"\": can have at most 128 characters\n"
                     "message: Invalid value: \"\": can have at most 1024 characters"));
}

TEST_CASE("only the series of an event of events.k8s.io changes") {
  ServerRig rig;
  make_both(rig);
  const auto refused =
      rig.ask("PATCH", kNewer + "/newer",
              R"({"note":"other","reportingController":"example.com/x","type":"Warning"})", kMerge);
  CHECK(refused.status == 422);
  CHECK(causes(refused) ==
        "message: Invalid value: \"other\": field is immutable\n"
        "type: Invalid value: \"Warning\": field is immutable\n"
        "reportingController: Invalid value: \"example.com/x\": field is immutable");
  CHECK(rig.ask("PATCH", kNewer + "/newer", R"({"series":{"count":1,"lastObservedTime":null}})", kMerge)
            .status == 422);
  CHECK(rig.ask("PATCH", kNewer + "/newer", R"({"metadata":{"labels":{"a":"b"}}})", kMerge).status == 200);
  CHECK(rig.ask("PATCH", kCore + "/newer", R"({"message":"other"})", kMerge).status == 200);
  CHECK(rig.ask("GET", kNewer + "/newer").body["note"].str() == "other");
}

TEST_CASE("events are tables and protobuf through both groups") {
  ServerRig rig;
  make_both(rig);
  const auto asked = [&](const std::string& target, const std::string& accept) {
    net::Request request;
    request.method = "GET";
    request.target = target;
    request.headers.set("Authorization", "Bearer master");
    request.headers.set("Accept", accept);
    return rig.ask(request, "");
  };
  const std::string table = "application/json;as=Table;v=v1;g=meta.k8s.io";
  CHECK(asked(kCore, table).body["rows"].at(1)["cells"] == asked(kNewer, table).body["rows"].at(1)["cells"]);
  CHECK(asked(kNewer, table).body["rows"].at(0)["cells"].at(3).str() == "pod/api");
  const std::string protobuf = "application/vnd.kubernetes.protobuf";
  const auto encoded = asked(kNewer + "/core", protobuf).text;
  CHECK(encoded.starts_with(std::string_view("k8s\0", 4)));
  CHECK(encoded.contains("events.k8s.io/v1"));
  CHECK(encoded.contains("it is pulled"));
}

}  // namespace skiff::kube
