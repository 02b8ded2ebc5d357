#include "node/agent/measure_turns.h"

#include <doctest/doctest.h>

using namespace skiff;
using namespace skiff::node;
using std::chrono::seconds;

TEST_CASE("pods whose walks are short do not wait for those with long ones") {
  MeasureTurns turns{seconds(5)};
  const std::vector<std::string> pods = {"long-1", "long-2", "long-3", "short"};
  MonotonicTime now{seconds(100)}, last_short = now;
  Duration longest{};
  std::map<std::string, int> walks;
  for (int i = 0; i < 200; ++i) {
    const auto uid = turns.next(pods, now);
    if (!uid) {
      now += seconds(1);
      continue;
    }
    const MonotonicTime begin = now;
    now += *uid == "short" ? seconds(0) : seconds(8);
    turns.measured(*uid, begin, now);
    ++walks[*uid];
    if (*uid != "short") continue;
    if (walks[*uid] > 1) longest = std::max(longest, begin - last_short);
    last_short = begin;
  }
  CHECK(longest <= seconds(5 + 8));
  CHECK(walks["long-1"] > 2);
  CHECK(walks["long-3"] > 2);
}

TEST_CASE("a pod is measured once in a pause, and a new one at once") {
  MeasureTurns turns{seconds(5)};
  MonotonicTime now{seconds(100)};
  CHECK(turns.next({"a"}, now) == "a");
  turns.measured("a", now, now);
  CHECK(!turns.next({"a"}, now + seconds(4)));
  CHECK(turns.next({"a", "b"}, now + seconds(4)) == "b");
  CHECK(turns.next({"a"}, now + seconds(5)) == "a");
  CHECK(!turns.next({}, now + seconds(9)));
}
