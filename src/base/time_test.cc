#include "base/time.h"

#include <doctest/doctest.h>

using namespace skiff;

TEST_CASE("times read back as they were written") {
  CHECK(format_rfc3339_nano(*parse_rfc3339("2026-01-02T03:04:05.123456789+01:30")) ==
        "2026-01-02T01:34:05.123456789Z");
  CHECK(format_rfc3339(*parse_rfc3339("2026-02-28t23:59:60Z")) == "2026-03-01T00:00:00Z");
  CHECK_FALSE(parse_rfc3339("2026-02-29T00:00:00Z").has_value());
  CHECK_FALSE(parse_rfc3339("2026-01-02T03:04:05").has_value());
}

TEST_CASE("years that nanoseconds do not hold become the nearest that fit") {
  CHECK(format_rfc3339(*parse_rfc3339("0001-01-01T00:00:00Z")) == "1900-01-01T00:00:00Z");
  CHECK(format_rfc3339(*parse_rfc3339("9999-12-31T23:59:59Z")) == "2200-12-31T23:59:59Z");
  CHECK(format_rfc3339(*parse_rfc3339("9996-02-29T00:00:00Z")) == "2200-03-01T00:00:00Z");
}
