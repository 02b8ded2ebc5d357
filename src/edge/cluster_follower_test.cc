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

}  // namespace skiff::edge
