#include "node/services/routed_pods.h"

#include <doctest/doctest.h>

using namespace skiff;
using namespace skiff::node;
using Kind = ObjectChange::Kind;

namespace {

json::Value parse(const std::string& text) {
  return json::parse(text).value();
}
json::Value ingress(const std::string& spec) {
  return parse(R"({"metadata":{"namespace":"shop","name":"i"},"spec":)" + spec + "}");
}
json::Value ingress_to(const std::string& service) {
  return ingress(R"({"rules":[{"http":{"paths":[{"backend":{"service":{"name":")" + service + R"("}}}]}}]})");
}
json::Value pod(const std::string& name, const std::string& ip = "10.0.0.9") {
  return parse(R"({"metadata":{"namespace":"shop","name":")" + name + R"("},"status":{"podIP":")" + ip +
               R"("}})");
}

struct Shop {
  RoutedPods routed;
  ServiceObjects objects;
  Shop() {
    objects.slices["shop/web-1"] = parse(
        R"({"metadata":{"namespace":"shop","labels":{"kubernetes.io/service-name":"web"}},"endpoints":[
        {"addresses":["10.0.0.1"],"targetRef":{"kind":"Pod","name":"web-a"}},{"addresses":["10.0.0.2"]}]})");
  }
  Shop& know(json::Value object) {
    routed.on_change({Kind::kReset, {}});
    routed.on_change({Kind::kUpsert, std::move(object)});
    routed.on_change({Kind::kSynced, {}});
    return *this;
  }
  bool has(const std::string& name, const std::string& ip = "10.0.0.9") const {
    return routed.contains(pod(name, ip), objects);
  }
};

}  // namespace

TEST_CASE("a pod is routed to when an Ingress names the Service whose slice names the pod") {
  Shop shop;
  shop.know(ingress_to("web"));
  CHECK(shop.has("web-a"));
  CHECK(shop.has("other", "10.0.0.2"));
  CHECK_FALSE(shop.has("web-b"));
  CHECK(Shop().know(ingress(R"({"defaultBackend":{"service":{"name":"web"}}})")).has("web-a"));
}

TEST_CASE("a Service that no Ingress names leads nobody to its pods") {
  CHECK_FALSE(Shop().know(ingress_to("api")).has("web-a"));
  Shop shop;
  shop.know(ingress_to("web"));
  shop.routed.on_change({Kind::kRemoved, ingress_to("web")});
  CHECK_FALSE(shop.has("web-a"));
}

TEST_CASE(
    "until the Ingresses are known every pod counts, and a new list replaces the old one when it is whole") {
  Shop shop;
  CHECK(shop.has("anything"));
  shop.know(ingress_to("web"));
  shop.routed.on_change({Kind::kReset, {}});
  CHECK(shop.has("web-a"));
  shop.routed.on_change({Kind::kSynced, {}});
  CHECK_FALSE(shop.has("web-a"));
}
