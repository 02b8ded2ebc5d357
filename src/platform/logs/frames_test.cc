#include "platform/logs/frames.h"

#include <doctest/doctest.h>

using namespace skiff::platform;

TEST_CASE("frames give their app, time and text") {
  const auto lines = parse_frames(
      "42 <40>1 2026-01-01T00:00:00Z shop a b - hel\n42 <40>1 2026-01-01T00:00:01Z blog a b - two\n");
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].app == "shop");
  CHECK(lines[0].text == "hel");
  CHECK(lines[1].app == "blog");
  CHECK(lines[1].time - lines[0].time == std::chrono::seconds(1));
}

TEST_CASE("a malformed frame ends the batch") {
  CHECK(parse_frames("x").empty());
  CHECK(parse_frames("99 short").empty());
  CHECK(parse_frames("").empty());
  CHECK(parse_frames("31 <40>1 yesterday shop a b - hel\n").empty());
}
