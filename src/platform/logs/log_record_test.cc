#include "platform/logs/log_record.h"

#include <doctest/doctest.h>

using namespace skiff;
using namespace skiff::platform;

namespace {
const WallTime kTime = *parse_rfc3339("2026-01-02T03:04:05.123456789Z");
const char* kShown = "2026-01-02T03:04:05.123456+00:00 app[web.1]: hello\n";
}  // namespace

TEST_CASE("a line is shown in Heroku's form") {
  CHECK(shown_line({"", "", kTime, "app[web.1]: hello"}) == kShown);
}

TEST_CASE("a record comes back as it was written") {
  for (const LogRecord& record :
       {LogRecord{"uid-1", "", kTime, "app[web.1]: a b"}, LogRecord{"", "", kTime, "x[y]: "},
        LogRecord{"uid-1", "2.up", kTime, "heroku[web.1]: State"}}) {
    std::string line = encode_record(record);
    CHECK(line.back() == '\n');
    line.pop_back();
    const auto again = parse_record(line);
    REQUIRE(again.has_value());
    CHECK(again->uid == record.uid);
    CHECK(again->mark == record.mark);
    CHECK(again->time == record.time);
    CHECK(again->text == record.text);
  }
  CHECK_FALSE(parse_record("").has_value());
  CHECK_FALSE(parse_record("- yesterday app[x]: y").has_value());
}

TEST_CASE("a position counts the lines that share a time") {
  LogOrigins origins;
  const LogRecord line{"uid", "", kTime, "app[web.1]: x"};
  for (int i = 0; i < 3; ++i) note_origin(origins, line);
  CHECK(origins["uid"].position == LogPosition{kTime, 3});
  note_origin(origins, {"uid", "1.up", kTime + Duration(5), "heroku[web.1]: x"});
  CHECK(origins["uid"].position == LogPosition{kTime, 3});
  CHECK(origins["uid"].mark == "1.up");
  note_origin(origins, {"uid", "", kTime + Duration(1), "app[web.1]: x"});
  CHECK(origins["uid"].position == LogPosition{kTime + Duration(1), 1});
}

TEST_CASE("a file's head brings number and origins over a rotation") {
  LogOrigins origins{{"a", {{kTime, 2}, "1.up"}}, {"b", {{kTime, 1}, ""}}};
  const std::string head = encode_file_head(77, origins);
  std::optional<uint64_t> number;
  LogOrigins again;
  size_t from = 0;
  for (size_t end = head.find('\n'); end != std::string::npos; end = head.find('\n', from)) {
    CHECK(parse_head_line(std::string_view(head).substr(from, end - from), number, again));
    from = end + 1;
  }
  CHECK(number == 77);
  CHECK(again["a"].position == LogPosition{kTime, 2});
  CHECK(again["a"].mark == "1.up");
  CHECK(again["b"].mark.empty());
  CHECK_FALSE(parse_head_line("- 2026 x", number, again));
}

TEST_CASE("a reader asks for a source, a dyno or a type of dynos") {
  CHECK(wants({}, kShown));
  CHECK(wants({"app", "web.1"}, kShown));
  CHECK(wants({"", "web"}, kShown));
  CHECK_FALSE(wants({"heroku", ""}, kShown));
  CHECK_FALSE(wants({"", "web.2"}, kShown));
  CHECK_FALSE(wants({"", "we"}, kShown));
}
