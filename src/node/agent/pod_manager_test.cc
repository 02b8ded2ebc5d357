#include "node/agent/pod_manager.h"

#include <doctest/doctest.h>

#include "io/sim_loop.h"
#include "node/api/fake_api.h"
#include "node/pod/fake_pod_host.h"
#include "node/runtime/fake_runtime.h"

using namespace skiff;
using namespace skiff::node;
using namespace std::chrono_literals;

namespace {

json::Value make_pod(const char* uid) {
  auto pod =
      *json::parse(R"({"apiVersion":"v1","kind":"Pod","spec":{"containers":[{"name":"c","image":"i"}]}})");
  pod.set("metadata", json::Value::object({{"name", "p"}, {"namespace", "n"}, {"uid", uid}}));
  return pod;
}

struct Rig {
  io::SimLoop loop{1};
  FakeApi api{loop};
  FakeRuntime runtime{loop};
  FakeImages images;
  FakePodHost host;
  FakeProber prober;
  EventRecorder events{loop, api, "node1"};
  PodManager pods{WorkerServices{loop, api, runtime, images, host, prober, events, "192.0.2.2"}};

  void tell(ObjectChange::Kind kind, const json::Value& pod) {
    pods.on_change({kind, pod});
    loop.advance(10ms);
  }
};

}  // namespace

TEST_CASE("a name leads to the pod the API has, not to its predecessor that is still stopping") {
  for (const auto& [old_uid, new_uid] : {std::pair("a", "b"), std::pair("b", "a")}) {
    Rig rig;
    FakeRuntime::Behaviour stubborn;
    stubborn.ends_on_term = std::nullopt;
    rig.runtime.behave("c", stubborn);
    rig.tell(ObjectChange::Kind::kUpsert, make_pod(old_uid));
    rig.tell(ObjectChange::Kind::kRemoved, make_pod(old_uid));
    REQUIRE(rig.pods.size() == 1);
    CHECK(rig.pods.find("n", "p") == nullptr);
    rig.tell(ObjectChange::Kind::kUpsert, make_pod(new_uid));
    REQUIRE(rig.pods.size() == 2);
    CHECK((*rig.pods.find("n", "p"))["metadata"]["uid"].str() == new_uid);
  }
}
