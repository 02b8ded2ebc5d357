#include "control/sim_cluster.h"

#include <doctest/doctest.h>

#include "io/sync.h"

namespace skiff::control {

using namespace std::chrono_literals;

TEST_CASE("a hundred nodes run a thousand pods and roll one Deployment over") {
  SimCluster cluster({.fleet = {.nodes = 100}});
  REQUIRE(cluster.start());
  for (int i = 0; i < 10; ++i) {
    CAPTURE(i);
    REQUIRE(cluster.deploy("team-" + std::to_string(i), "web", 100));
  }
  REQUIRE(cluster.run_until([&] { return cluster.rolled_out(); }, 60s));
  CHECK(cluster.fleet().running() == 1000);
  REQUIRE(cluster.set_image("team-3", "web", "web:2"));
  REQUIRE(cluster.run_until([&] { return cluster.rolled_out(); }, 60s));
  // Every node has its share of the pods, none more than it has room for.
  auto pods = io::block_on(cluster.loop(), cluster.client().list("/api/v1/pods", ""));
  REQUIRE(pods);
  std::map<std::string, int> by_node;
  int renewed = 0;
  for (const auto& pod : (*pods)["items"].items()) {
    ++by_node[pod["spec"]["nodeName"].str()];
    if (!is_deleting(pod)) renewed += pod["spec"]["containers"].at(0)["image"].str() == "web:2";
  }
  CHECK(renewed == 100);
  CHECK(by_node.size() == 100);
  for (const auto& [node, count] : by_node) CHECK(count <= 110);
  CHECK(cluster.fleet().failures() == 0);
}

}  // namespace skiff::control
