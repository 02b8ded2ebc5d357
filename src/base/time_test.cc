#include "base/time.h"

#include <doctest/doctest.h>

using namespace skiff;

TEST_CASE("times read back as they were written") {
  CHECK(format_rfc3339_nano(*parse_rfc3339("2026-01-02T03:04:05.123456789+01:30")) ==
        "2026-01-02T01:34:05.123456789Z");
  CHECK(format_rfc3339(*parse_rfc3339("2026-02-28t23:59:60Z")) == "2026-03-01T00:00:00Z");
  CHECK_FALSE(parse_rfc3339("2026-02-29T00:00:00Z").has_value());
  CHECK_FALSE(parse_rfc3339("2026-01-02T03:04:05").has_value());
  for (const char* bad : {"-000-01-02T03:04:05Z", "+026-01-02T03:04:05Z", "2026-01-02T-0:04:05Z",
                          "2026-01-02T03:04:05+-0:00", "2026-01-02T 3:04:05Z"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_rfc3339(bad).has_value());
  }
}

TEST_CASE("years that nanoseconds do not hold become the nearest that fit") {
  CHECK(format_rfc3339(*parse_rfc3339("0001-01-01T00:00:00Z")) == "1900-01-01T00:00:00Z");
  CHECK(format_rfc3339(*parse_rfc3339("9999-12-31T23:59:59Z")) == "2200-12-31T23:59:59Z");
  CHECK(format_rfc3339(*parse_rfc3339("9996-02-29T00:00:00Z")) == "2200-03-01T00:00:00Z");
}

TEST_CASE("a time reads back as the same whatever its offset, year or leap second") {
  struct Case {
    const char* written;
    const char* meant;
  };
  for (const auto& [written, meant] : {
           Case{"0026-01-01T00:04:05.123456789+01:30", "1900-12-31T22:34:05.123456789Z"},
           Case{"1900-01-01T00:00:00+00:01", "1900-12-31T23:59:00.000000000Z"},
           Case{"1900-01-01T00:00:00Z", "1900-01-01T00:00:00.000000000Z"},
           Case{"1899-12-31T23:59:59-00:01", "1900-01-01T00:00:59.000000000Z"},
           Case{"2200-12-31T23:59:59.999999999Z", "2200-12-31T23:59:59.999999999Z"},
           Case{"2200-12-31T23:59:60Z", "2200-01-01T00:00:00.000000000Z"},
           Case{"2200-12-31T23:30:00-01:00", "2200-01-01T00:30:00.000000000Z"},
           Case{"2201-01-01T00:30:00+01:00", "2200-12-31T23:30:00.000000000Z"},
           Case{"1896-02-29T12:00:00Z", "1900-03-01T12:00:00.000000000Z"},
           Case{"1896-02-29T00:30:00+01:00", "1900-02-28T23:30:00.000000000Z"},
           Case{"1896-02-28T23:30:00-01:00", "1900-03-01T00:30:00.000000000Z"},
           Case{"2204-02-29T23:59:60Z", "2200-03-01T00:00:00.000000000Z"},
           Case{"0000-01-01T00:00:00+23:59", "1900-12-31T00:01:00.000000000Z"},
           Case{"9999-12-31T23:59:60-23:59", "2200-01-01T23:59:00.000000000Z"},
       }) {
    CAPTURE(written);
    const auto time = parse_rfc3339(written);
    REQUIRE(time.has_value());
    CHECK(format_rfc3339_nano(*time) == meant);
    CHECK(*parse_rfc3339(format_rfc3339_nano(*time)) == *time);
  }
}
