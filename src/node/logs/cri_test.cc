#include "node/logs/cri.h"

#include <doctest/doctest.h>

using namespace skiff;
using namespace skiff::node;

TEST_CASE("pieces of a long line are joined, with one timestamp") {
  LogQuery query;
  query.timestamps = true;
  LogFormatter formatter(query);
  std::string out;
  CHECK(formatter.add("2026-01-01T00:00:00.1Z stdout P ab", out));
  CHECK(formatter.add("2026-01-01T00:00:00.2Z stdout F cd", out));
  CHECK(formatter.add("2026-01-01T00:00:00.3Z stderr F ", out));
  CHECK(out == "2026-01-01T00:00:00.1Z abcd\n2026-01-01T00:00:00.3Z \n");
}

TEST_CASE("the byte limit cuts in the middle of a line") {
  auto query = parse_log_query("limitBytes=3", {});
  LogFormatter formatter(*query);
  std::string out;
  CHECK(!formatter.add("2026-01-01T00:00:00Z stdout F abcdef", out));
  CHECK(out == "abc");
}

TEST_CASE("lines older than since are left out") {
  auto query = parse_log_query("sinceTime=2026-01-01T00:00:05Z", {});
  LogFormatter formatter(*query);
  std::string out;
  formatter.add("2026-01-01T00:00:04Z stdout F old", out);
  formatter.add("2026-01-01T02:00:06+02:00 stdout F offset", out);
  formatter.add("2026-01-01T00:00:06Z stdout F new", out);
  CHECK(out == "offset\nnew\n");
}

TEST_CASE("bad parameters are named") {
  CHECK(parse_log_query("tailLines=-1", {}).error().message == "invalid value for tailLines: -1");
  CHECK(parse_log_query("follow=true&tailLines=5", {})->tail_lines == 5);
}
