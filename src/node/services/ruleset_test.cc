#include "node/services/ruleset.h"

#include <doctest/doctest.h>

#include "testing/cost.h"

using namespace skiff;
using namespace skiff::node;

namespace {
json::Value parse(const char* text) {
  return *json::parse(text);
}

const char* const kService = R"({"metadata":{"name":"web","namespace":"shop"},"spec":{"clusterIP":"10.43.0.9",
  "ports":[{"name":"http","port":80,"protocol":"TCP"}]}})";

json::Value slice(const char* conditions) {
  auto out =
      parse(R"({"metadata":{"name":"web-1","namespace":"shop","labels":{"kubernetes.io/service-name":"web"}},
    "addressType":"IPv4","ports":[{"name":"http","port":8080,"protocol":"TCP"}],
    "endpoints":[{"addresses":["10.42.0.5"]}]})");
  out.edit("endpoints").edit_at(0).set("conditions", parse(conditions));
  return out;
}
}  // namespace

TEST_CASE("a service leads to its ready endpoints' ports") {
  const auto ports = make_service_ports({parse(kService)}, {slice(R"({"ready":true})")});
  REQUIRE(ports.size() == 1);
  CHECK(ports[0].backends == std::vector<Backend>{{"10.42.0.5", 8080}});
}

TEST_CASE("a terminating endpoint serves only when no other is ready") {
  const auto ending = slice(R"({"ready":false,"serving":true,"terminating":true})");
  CHECK(make_service_ports({parse(kService)}, {ending})[0].backends.size() == 1);
  CHECK(make_service_ports({parse(kService)}, {slice(R"({"ready":false,"serving":false})")})[0]
            .backends.empty());
}

TEST_CASE("headless services have no rules, services without endpoints refuse") {
  CHECK(make_service_ports({parse(R"({"spec":{"clusterIP":"None","ports":[{"port":1}]}})")}, {}).empty());
  const ClusterRanges ranges{*parse_subnet("10.42.0.0/16"), *parse_subnet("10.43.0.0/16")};
  const auto text = make_ruleset({"t1", ranges, make_service_ports({parse(kService)}, {})});
  CHECK(text.find("10.43.0.9") == std::string::npos);
  CHECK(text.find("dnat ip to") == std::string::npos);
}

TEST_CASE("what is sent to no port of a Service does not leave the machine") {
  const ClusterRanges ranges{*parse_subnet("10.42.0.0/16"), *parse_subnet("10.43.0.0/16")};
  const auto text = make_ruleset({"t1", ranges, {}});
  for (const char* chain : {"forward priority 0\n", "output priority 0\n"}) {
    CAPTURE(chain);
    CHECK(text.find(std::string(chain) + "    ip daddr 10.43.0.0/16 fib daddr type != local jump refuse\n") !=
          std::string::npos);
  }
  // Who asks before the Services are known is to ask again.
  const auto first = make_ruleset({"t1", ranges, {}}, TableStart::kNew);
  CHECK(first.find("ip daddr 10.43.0.0/16 fib daddr type != local drop\n") != std::string::npos);
  CHECK(first.find("!= local jump refuse") == std::string::npos);
}

TEST_CASE("the same objects give the same text in any order") {
  const auto other = parse(
      R"({"metadata":{"name":"a","namespace":"b"},"spec":{"clusterIP":"10.43.0.8","ports":[{"port":1}]}})");
  const ClusterRanges ranges{*parse_subnet("10.42.0.0/16"), *parse_subnet("10.43.0.0/16")};
  CHECK(make_ruleset({"t1", ranges, make_service_ports({parse(kService), other}, {})}) ==
        make_ruleset({"t1", ranges, make_service_ports({other, parse(kService)}, {})}));
}

TEST_CASE("pods reach of the machine what is open to them, and no link-local address") {
  RulesetInput input{"t1", {*parse_subnet("10.42.0.0/16"), *parse_subnet("10.43.0.0/16")}, {}};
  input.open_ports = {80, 443};
  const auto text = make_ruleset(input);
  CHECK(text.find("ip daddr 169.254.0.0/16 jump refuse") != std::string::npos);
  CHECK(text.find("tcp dport { 80, 443 } accept\n    jump refuse\n") != std::string::npos);
  CHECK(text.find("ip daddr 10.43.0.10 th dport 53 accept") != std::string::npos);
  input.egress = PodEgress::kOpen;
  const auto open = make_ruleset(input);
  CHECK(open.find("169.254") == std::string::npos);
  CHECK(open.find("tcp dport { 80, 443 }") == std::string::npos);
}

TEST_CASE("the machine forwards for pods only") {
  RulesetInput input{"t1", {*parse_subnet("10.42.0.0/16"), *parse_subnet("10.43.0.0/16")}, {}};
  CHECK(make_ruleset(input).find("oifname \"skiff-t1\" ct state new drop") != std::string::npos);
  CHECK(make_ruleset(input).find("neighbours") == std::string::npos);
  input.forwarding = {true, {"eth0", "wlan0"}};
  const std::string text = make_ruleset(input);
  CHECK(text.find("iifname != \"skiff-*\" oifname != \"skiff-*\" jump neighbours\n") != std::string::npos);
  CHECK(text.find("iifname != { \"eth0\", \"wlan0\" } meta iifkind \"bridge\" return\n") !=
        std::string::npos);
  CHECK(text.find("oifname != { \"eth0\", \"wlan0\" } meta oifkind \"bridge\" return\n    drop\n") !=
        std::string::npos);
  input.forwarding.before = {};
  CHECK(make_ruleset(input).find("    meta iifkind \"bridge\" return\n") != std::string::npos);
}

namespace {
// A Service of `ports` ports, and a slice that has them all with `endpoints` addresses.
struct Wide {
  json::Value service = parse(kService), slice = ::slice("{}");
  Wide(int ports, int endpoints) {
    json::Value wanted = json::Value::array(), addresses = json::Value::array();
    for (int i = 1; i <= ports; ++i) {
      wanted.push_back(json::Value::object({{"name", "p" + std::to_string(i)}, {"port", i}}));
    }
    for (int i = 0; i < endpoints; ++i) {
      const std::string ip = "10.42." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1);
      addresses.push_back(json::Value::object({{"addresses", json::Value::array({ip})}}));
    }
    service.edit("spec").set("ports", wanted);
    slice.set("ports", wanted);
    slice.set("endpoints", addresses);
  }
};
}  // namespace

TEST_CASE("what the ports of one Service lead to is bounded, and each leads somewhere") {
  const Wide wide(1000, 500);
  const auto ports = make_service_ports({wide.service}, {wide.slice});
  REQUIRE(ports.size() == 1000);
  for (const auto& port : ports) CHECK(port.backends.size() == 16);
  const Wide usual(2, 500);
  CHECK(make_service_ports({usual.service}, {usual.slice})[1].backends.size() == 500);
}

TEST_CASE("rules cost what Services and slices are many") {
  const auto ports = [](const std::string& text) {
    const Wide wide(static_cast<int>(text.size() / 100), 1);
    static_cast<void>(make_service_ports({wide.service}, {wide.slice}));
  };
  CHECK(testing::growth({"", "x", ""}, testing::kSmallInput, testing::kLargeInput, ports) <
        testing::kMostGrowth);
  const auto services = [](const std::string& text) {
    std::vector<json::Value> services, slices;
    for (size_t i = 0; i < text.size() / 200; ++i) {
      services.push_back(parse(kService));
      slices.push_back(slice("{}"));
      services.back().edit("metadata").set("name", "s" + std::to_string(i));
      slices.back()
          .edit("metadata")
          .edit("labels")
          .set("kubernetes.io/service-name", "s" + std::to_string(i));
    }
    static_cast<void>(make_service_ports(services, slices));
  };
  CHECK(testing::growth({"", "x", ""}, testing::kSmallInput, testing::kLargeInput, services) <
        testing::kMostGrowth);
}
