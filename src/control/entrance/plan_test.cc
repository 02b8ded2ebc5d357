// Where Ingresses and LoadBalancers say that they are reached.
#include "control/entrance/plan.h"

#include <doctest/doctest.h>

namespace skiff::control {
namespace {

Value parsed(const char* text) {
  return json::parse(text).value_or(Value());
}

}  // namespace

TEST_CASE("an Ingress gets the machine's address once") {
  auto ingress =
      parsed(R"({"metadata":{"name":"i","namespace":"a"},"spec":{},"status":{"loadBalancer":{}}})");
  const auto plan = plan_ingress_entrance(ingress, "127.0.0.1");
  REQUIRE(plan.actions.size() == 1);
  CHECK(plan.actions[0].path == "/apis/networking.k8s.io/v1/namespaces/a/ingresses/i/status");
  CHECK(json::encode(plan.actions[0].body) ==
        R"({"status":{"loadBalancer":{"ingress":[{"ip":"127.0.0.1"}]}}})");
  ingress.set("status", plan.actions[0].body["status"]);
  CHECK(plan_ingress_entrance(ingress, "127.0.0.1").actions.empty());
  CHECK(json::encode(plan_ingress_entrance(ingress, "example.com").actions.at(0).body) ==
        R"({"status":{"loadBalancer":{"ingress":[{"hostname":"example.com"}]}}})");
}

TEST_CASE("a LoadBalancer gets the address, and loses it with its type") {
  auto service = parsed(R"({"metadata":{"name":"s","namespace":"a"},"spec":{"type":"LoadBalancer"}})");
  const auto plan = plan_service_entrance(service, "192.0.2.1");
  REQUIRE(plan.actions.size() == 1);
  CHECK(json::encode(plan.actions[0].body) ==
        R"({"status":{"loadBalancer":{"ingress":[{"ip":"192.0.2.1","ipMode":"VIP"}]}}})");
  service.set("status", plan.actions[0].body["status"]);
  CHECK(plan_service_entrance(service, "192.0.2.1").actions.empty());
  service.edit("spec").set("type", "NodePort");
  CHECK(json::encode(plan_service_entrance(service, "192.0.2.1").actions.at(0).body) ==
        R"({"status":{"loadBalancer":{"ingress":null}}})");
}

TEST_CASE("Services of others, and those that end, are left alone") {
  for (const char* text :
       {R"({"metadata":{"name":"s"},"spec":{"type":"LoadBalancer","loadBalancerClass":"x/y"}})",
        R"({"metadata":{"name":"s","deletionTimestamp":"2026-01-01T00:00:00Z"},
                               "spec":{"type":"LoadBalancer"}})",
        R"({"metadata":{"name":"s"},"spec":{"type":"ClusterIP"}})"}) {
    CHECK(plan_service_entrance(parsed(text), "192.0.2.1").actions.empty());
  }
}

}  // namespace skiff::control
