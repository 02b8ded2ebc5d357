#include "node/network/forwarding.h"

#include <doctest/doctest.h>

using namespace skiff::node;

TEST_CASE("only a drop policy of the forward chain asks for a rule") {
  CHECK(drops_forwarded("-P FORWARD DROP\n-A FORWARD -j DOCKER-USER\n"));
  CHECK(!drops_forwarded("-P FORWARD ACCEPT\n-A FORWARD -j DROP\n"));
  CHECK(!drops_forwarded(""));
}
