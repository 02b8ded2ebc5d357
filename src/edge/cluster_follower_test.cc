#include "edge/cluster_follower.h"

#include <doctest/doctest.h>

#include "io/sim_loop.h"

namespace skiff::edge {
namespace {

using namespace std::chrono_literals;
using Kind = kube::ObjectChange::Kind;

json::Value ingress(const std::string& name) {
  return json::parse(R"({"metadata":{"namespace":"shop","name":")" + name +
                     R"("},"spec":{"rules":[{"host":")" + name +
                     R"(.test","http":{"paths":[{"path":"/","backend":{}}]}}]}})")
      .value();
}

struct Follower {
  io::SimLoop loop;
  std::vector<RouteTable> tables;
  ClusterFollower follower{loop, {}, [this](RouteTable table) { tables.push_back(std::move(table)); }};

  void change(Kind kind, json::Value object = {}) {
    follower.on_change(ClusterFollower::kIngresses, {kind, std::move(object)});
  }
  void sync_others() {
    for (size_t i = 1; i < ClusterFollower::kCollections; ++i) {
      follower.on_change(static_cast<ClusterFollower::Collection>(i), {Kind::kSynced, {}});
    }
  }
  // The first table, with one Ingress "a".
  void begin() {
    change(Kind::kReset);
    change(Kind::kUpsert, ingress("a"));
    change(Kind::kSynced);
    sync_others();
    loop.advance(1s);
  }
  bool knows(const char* host) const { return tables.back().find(host, "/") != nullptr; }
};

}  // namespace

TEST_CASE("there is no table until every collection is known") {
  Follower f;
  f.change(Kind::kReset);
  f.change(Kind::kUpsert, ingress("a"));
  f.change(Kind::kSynced);
  f.loop.advance(1s);
  CHECK(f.tables.empty());
  f.sync_others();
  f.loop.advance(1s);
  REQUIRE(f.tables.size() == 1);
  CHECK(f.knows("a.test"));
}

TEST_CASE("changes that come together make one table") {
  Follower f;
  f.begin();
  for (int i = 0; i < 100; ++i) f.change(Kind::kUpsert, ingress("n" + std::to_string(i)));
  f.loop.advance(1s);
  CHECK(f.tables.size() == 2);
  CHECK(f.knows("n99.test"));
}

TEST_CASE("a change is in the table within milliseconds") {
  Follower f;
  f.begin();
  f.change(Kind::kRemoved, ingress("a"));
  f.loop.advance(10ms);
  REQUIRE(f.tables.size() == 2);
  CHECK_FALSE(f.knows("a.test"));
}

TEST_CASE("a watch that begins anew empties nothing until its list is complete") {
  Follower f;
  f.begin();
  f.change(Kind::kReset);
  f.change(Kind::kUpsert, ingress("b"));
  f.follower.on_change(ClusterFollower::kPods, {Kind::kUpsert, ingress("pod")});
  f.loop.advance(1s);
  CHECK(f.knows("a.test"));
  CHECK_FALSE(f.knows("b.test"));
  f.change(Kind::kSynced);
  f.loop.advance(1s);
  CHECK_FALSE(f.knows("a.test"));
  CHECK(f.knows("b.test"));
}

TEST_CASE("names outside the cluster are looked up, and a change of theirs makes a table") {
  io::SimLoop loop;
  std::vector<RouteTable> tables;
  std::vector<std::string> world{"192.0.2.1"};
  RouteOptions options;
  options.backends.allowed = {{parse_ip("192.0.2.1").value(), 80}, {parse_ip("192.0.2.2").value(), 80}};
  ClusterFollower follower{loop, options, [&](RouteTable table) { tables.push_back(std::move(table)); },
                           [&](const std::string&) { return world; }};
  const auto change = [&](ClusterFollower::Collection collection, const char* object) {
    follower.on_change(collection, {Kind::kReset, {}});
    if (*object != '\0') follower.on_change(collection, {Kind::kUpsert, json::parse(object).value()});
    follower.on_change(collection, {Kind::kSynced, {}});
  };
  change(ClusterFollower::kIngresses,
         R"({"metadata":{"namespace":"shop","name":"a"},"spec":{"rules":[{"host":"a.test",
      "http":{"paths":[{"path":"/","backend":{"service":{"name":"out","port":{"number":80}}}}]}}]}})");
  change(ClusterFollower::kServices, R"({"metadata":{"namespace":"shop","name":"out"},
      "spec":{"type":"ExternalName","externalName":"out.test"}})");
  for (const auto other : {ClusterFollower::kSlices, ClusterFollower::kPods, ClusterFollower::kNamespaces})
    change(other, "");
  const auto address = [&] { return tables.back().find("a.test", "/")->ready.at(0).ip; };
  loop.advance(1s);
  CHECK(address() == "192.0.2.1");
  world = {"192.0.2.2"};
  loop.advance(40s);
  CHECK(address() == "192.0.2.2");
}

}  // namespace skiff::edge
