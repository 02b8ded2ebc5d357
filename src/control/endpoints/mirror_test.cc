// What becomes of Endpoints that a user wrote.
#include "control/endpoints/mirror.h"

#include <doctest/doctest.h>

#include "control/endpoints/plan.h"

namespace skiff::control {

namespace {

Value parsed(const char* text) {
  return json::parse(text).value_or(Value());
}
Value service() {
  return parsed(R"({"metadata":{"name":"db","namespace":"shop","uid":"s"},"spec":{"ports":[{"port":80}]}})");
}
Value endpoints() {
  return parsed(R"({"metadata":{"name":"db","namespace":"shop","uid":"e","labels":{"a":"b"}},
      "subsets":[{"addresses":[{"ip":"192.0.2.1","hostname":"one"},{"ip":"2001:db8::1"}],
                  "notReadyAddresses":[{"ip":"192.0.2.2"}],"ports":[{"port":5432}]}]})");
}
// As the server keeps it.
Value stored(Value slice, const char* name) {
  slice.edit("metadata").set("name", name);
  return slice;
}

}  // namespace

TEST_CASE("Endpoints of a Service without selector become slices that belong to them") {
  const auto plan = plan_mirror({service(), endpoints(), {}});
  REQUIRE(plan.actions.size() == 2);
  CHECK(plan.actions[0].path == "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices");
  const auto& slice = plan.actions[0].body;
  CHECK(slice["metadata"]["generateName"].str() == "db-");
  CHECK(slice["metadata"]["labels"] == parsed(R"({"a":"b","kubernetes.io/service-name":"db",
      "endpointslice.kubernetes.io/managed-by":"endpointslicemirroring-controller.k8s.io"})"));
  CHECK(controller_ref(slice)["kind"].str() == "Endpoints");
  CHECK(controller_ref(slice)["uid"].str() == "e");
  CHECK(slice["addressType"].str() == "IPv4");
  CHECK(slice["ports"] == parsed(R"([{"name":"","port":5432,"protocol":"TCP"}])"));
  CHECK(slice["endpoints"] ==
        parsed(R"([{"addresses":["192.0.2.1"],"conditions":{"ready":true},"hostname":"one"},
                   {"addresses":["192.0.2.2"],"conditions":{"ready":false}}])"));
  CHECK(plan.actions[1].body["addressType"].str() == "IPv6");
  CHECK(plan.actions[1].body["endpoints"].size() == 1);
}

TEST_CASE("a mirrored slice follows its Endpoints and goes with them") {
  const auto first = plan_mirror({service(), endpoints(), {}});
  REQUIRE(first.actions.size() == 2);
  const auto slices =
      std::vector{stored(first.actions[0].body, "db-1"), stored(first.actions[1].body, "db-2")};
  CHECK(plan_mirror({service(), endpoints(), slices}).actions.empty());

  auto changed = endpoints();
  changed.set("subsets", parsed(R"([{"addresses":[{"ip":"192.0.2.9"}],"ports":[{"port":5432}]}])"));
  CHECK(plan_mirror({service(), changed, slices}).to_string() ==
        "update /apis/discovery.k8s.io/v1/namespaces/shop/endpointslices/db-1\n"
        "delete /apis/discovery.k8s.io/v1/namespaces/shop/endpointslices/db-2\n");
  CHECK(plan_mirror({service(), {}, slices}).to_string() ==
        "delete /apis/discovery.k8s.io/v1/namespaces/shop/endpointslices/db-1\n"
        "delete /apis/discovery.k8s.io/v1/namespaces/shop/endpointslices/db-2\n");
}

TEST_CASE("Endpoints with a selector, the label that says no or a leader's annotation are not mirrored") {
  auto selecting = service();
  selecting.edit("spec").set("selector", Value::object({{"app", "db"}}));
  CHECK(plan_mirror({selecting, endpoints(), {}}).actions.empty());
  auto skipped = endpoints();
  skipped.edit("metadata").edit("labels").set("endpointslice.kubernetes.io/skip-mirror", "true");
  CHECK(plan_mirror({service(), skipped, {}}).actions.empty());
  auto led = endpoints();
  led.edit("metadata").edit("annotations").set("control-plane.alpha.kubernetes.io/leader", "{}");
  CHECK(plan_mirror({service(), led, {}}).actions.empty());
}

TEST_CASE("of more than a thousand addresses of a subset the first are mirrored") {
  auto many = Value::array();
  for (int i = 0; i < 1200; ++i) {
    const auto ip = "10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1);
    many.push_back(Value::object({{"ip", ip}}));
  }
  auto large = endpoints();
  large.set("subsets", Value::array({Value::object({{"addresses", many}})}));
  const auto plan = plan_mirror({service(), large, {}});
  REQUIRE(plan.actions.size() == 1);
  CHECK(plan.actions[0].body["endpoints"].size() == 1000);
}

}  // namespace skiff::control
