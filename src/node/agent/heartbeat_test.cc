#include "node/agent/heartbeat.h"

#include <doctest/doctest.h>

#include "io/scope.h"
#include "io/sim_loop.h"
#include "node/api/fake_api.h"
#include "node/pod/fake_pod_host.h"
#include "node/pod/phase.h"

using namespace skiff;
using namespace skiff::node;
using namespace std::chrono_literals;

namespace {

constexpr const char* kNode = "/api/v1/nodes/node1";

NodeStatusInput input() {
  NodeStatusInput out;
  out.name = "node1";
  return out;
}

struct Rig {
  io::SimLoop loop{1};
  FakeApi api{loop};
  FakeImages images;
  Heartbeat heartbeat{loop, api, images, input(), "/", 5min};
  io::TaskScope scope{loop};

  Rig() {
    scope.spawn(heartbeat.enroll());
    loop.advance(1s);
    scope.spawn(heartbeat.run_lease());
    scope.spawn(heartbeat.run_status());
    loop.advance(1s);
  }
  json::Value ready() { return find_named(api.find(kNode)["status"]["conditions"], "Ready", "type"); }
  // As the node lifecycle controller does with a silent node.
  void call_unknown() {
    auto node = api.find(kNode);
    for (auto& condition : node.edit("status").edit("conditions").edit_items())
      condition.set("status", "Unknown");
    api.put(kNode, node);
  }
};

}  // namespace

TEST_CASE("a node that was called Unknown says with its next lease that it is ready, since now") {
  Rig rig;
  const std::string before = rig.ready()["lastTransitionTime"].str();
  rig.call_unknown();
  rig.loop.advance(10s);
  CHECK(rig.ready()["status"].str() == "True");
  CHECK(rig.ready()["lastTransitionTime"].str() > before);
}

TEST_CASE("a node whose object was deleted registers again") {
  Rig rig;
  rig.api.erase(kNode);
  rig.loop.advance(11s);
  CHECK(rig.api.find(kNode)["metadata"]["labels"]["kubernetes.io/hostname"].str() == "node1");
  CHECK(rig.ready()["status"].str() == "True");
}

TEST_CASE("a status that the API still shows is not written again") {
  Rig rig;
  rig.loop.advance(1min);
  CHECK(rig.api.statuses(kNode).size() == 1);
}
