#include "platform/builds/limits.h"

#include <doctest/doctest.h>

using namespace skiff;
using namespace skiff::platform;

TEST_CASE("what the file does not name keeps its default") {
  const auto limits = parse_build_limits(R"({"seconds": 20, "diskMb": 64})");
  REQUIRE(limits.has_value());
  CHECK(limits->seconds == 20);
  CHECK(limits->disk_mb == 64);
  CHECK(limits->slug_mb == 1500);
}

TEST_CASE("a limit that is none is refused by name") {
  for (const char* text : {R"({"secs": 1})", R"({"seconds": 0})", R"({"seconds": "1"})", "[]", "{"}) {
    CHECK_FALSE(parse_build_limits(text).has_value());
  }
  CHECK(parse_build_limits(R"({"secs": 1})").error().message == "\"secs\" is no limit of a build");
}

TEST_CASE("limits are told in the unit that fits") {
  CHECK(describe_seconds(15 * 60) == "15 minutes");
  CHECK(describe_seconds(60) == "1 minute");
  CHECK(describe_seconds(90) == "90 seconds");
  CHECK(describe_megabytes(4096) == "4 GB");
  CHECK(describe_megabytes(500) == "500 MB");
}
