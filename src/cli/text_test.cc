#include <doctest/doctest.h>

#include "cli/commands.h"

using namespace skiff;

TEST_CASE("an assignment splits at its first equals sign") {
  auto pair = cli::parse_assignment("URL=http://x/?a=b");
  REQUIRE(pair.has_value());
  CHECK(pair->first == "URL");
  CHECK(pair->second == "http://x/?a=b");
}

TEST_CASE("an empty value is a value") {
  auto pair = cli::parse_assignment("EMPTY=");
  REQUIRE(pair.has_value());
  CHECK(pair->second.empty());
}

TEST_CASE("a piece without a name or an equals sign is refused in words") {
  CHECK(cli::parse_assignment("web").error().message == "\"web\" is not of the form NAME=value");
  CHECK_FALSE(cli::parse_assignment("=4").has_value());
}
