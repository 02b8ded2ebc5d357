#include "node/agent/pod_manager.h"

#include <doctest/doctest.h>

#include "node/pod/fake_node.h"

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

struct Rig : FakeNode {
  PodManager pods{services()};

  void tell(ObjectChange::Kind kind, const json::Value& pod) {
    pods.on_change({kind, pod});
    loop.advance(10ms);
  }
};

}  // namespace

TEST_CASE("a name leads to the pod the API has, not to its predecessor that is still stopping") {
  for (const auto& [old_uid, new_uid] : {std::pair("a", "b"), std::pair("b", "a")}) {
    Rig rig;
    rig.runtime.behave("c", {.ends_on_term = std::nullopt});
    rig.tell(ObjectChange::Kind::kUpsert, make_pod(old_uid));
    rig.tell(ObjectChange::Kind::kRemoved, make_pod(old_uid));
    REQUIRE(rig.pods.size() == 1);
    CHECK(rig.pods.find("n", "p") == nullptr);
    rig.tell(ObjectChange::Kind::kUpsert, make_pod(new_uid));
    REQUIRE(rig.pods.size() == 2);
    CHECK((*rig.pods.find("n", "p"))["metadata"]["uid"].str() == new_uid);
  }
}
