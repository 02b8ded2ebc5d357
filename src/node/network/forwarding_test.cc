#include "node/network/forwarding.h"

#include <doctest/doctest.h>

using namespace skiff::node;

TEST_CASE("only a drop policy of the forward chain asks for a rule") {
  CHECK(drops_forwarded("-P FORWARD DROP\n-A FORWARD -j DOCKER-USER\n"));
  CHECK(!drops_forwarded("-P FORWARD ACCEPT\n-A FORWARD -j DROP\n"));
  CHECK(!drops_forwarded(""));
}

TEST_CASE("to the pods come answers and what was sent to a node port, nothing else") {
  const auto rules = forwarding_rules("skiff-a", "10.43.0.0/16");
  REQUIRE(rules.size() == 3);
  CHECK(rules[0] == "-A FORWARD -i skiff-a -j ACCEPT");
  CHECK(rules[1] == "-A FORWARD -o skiff-a -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT");
  CHECK(rules[2] == "-A FORWARD -o skiff-a -m conntrack --ctstate DNAT ! --ctorigdst 10.43.0.0/16 -j ACCEPT");
}

TEST_CASE("only rules that name the bridge itself are its own") {
  const auto found = rules_of_bridge(
      "-P FORWARD DROP\n-A FORWARD -o skiff-a -j ACCEPT\n-A FORWARD -i skiff-ab -j ACCEPT\n\n", "skiff-a");
  CHECK(found == std::vector<std::string>{"-A FORWARD -o skiff-a -j ACCEPT"});
}
