#include "node/network/addresses.h"

#include <doctest/doctest.h>

using namespace skiff;
using namespace skiff::node;

TEST_CASE("addresses are given in turn, a freed one last") {
  AddressPool pool(*parse_subnet("10.42.0.0/29"));
  CHECK(format_ipv4(pool.gateway()) == "10.42.0.1");
  CHECK(format_ipv4(*pool.take()) == "10.42.0.2");
  CHECK(format_ipv4(*pool.take()) == "10.42.0.3");
  pool.release(*parse_ipv4("10.42.0.2"));
  CHECK(format_ipv4(*pool.take()) == "10.42.0.4");
  CHECK(format_ipv4(*pool.take()) == "10.42.0.5");
  CHECK(format_ipv4(*pool.take()) == "10.42.0.6");
  CHECK(format_ipv4(*pool.take()) == "10.42.0.2");
  CHECK(pool.take().error().code == Code::kResourceExhausted);
}

TEST_CASE("an adopted address is not given again, and a foreign one is refused") {
  AddressPool pool(*parse_subnet("10.42.0.0/24"));
  CHECK(pool.reserve(*parse_ipv4("10.42.0.2")));
  CHECK(!pool.reserve(*parse_ipv4("10.42.0.2")));
  CHECK(!pool.reserve(*parse_ipv4("10.43.0.2")));
  CHECK(format_ipv4(*pool.take()) == "10.42.0.3");
}

TEST_CASE("ranges avoid every route of the host") {
  CHECK(pick_ranges({})->pods.to_string() == "10.42.0.0/16");
  const auto ranges = pick_ranges({*parse_subnet("10.43.7.0/24"), *parse_subnet("10.44.0.0/16")});
  CHECK(ranges->pods.to_string() == "10.46.0.0/16");
  CHECK(ranges->services.to_string() == "10.47.0.0/16");
  CHECK(!pick_ranges({*parse_subnet("10.0.0.0/8")}));
  CHECK(are_free(*ranges, {*parse_subnet("0.0.0.0/0"), *parse_subnet("10.42.0.0/16")}));
  CHECK(!are_free(*ranges, {*parse_subnet("10.47.3.4/32")}));
}
