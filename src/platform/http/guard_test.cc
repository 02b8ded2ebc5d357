#include "platform/http/guard.h"

#include <doctest/doctest.h>

using namespace skiff;
using namespace skiff::platform;
using namespace std::chrono_literals;

namespace {

net::Request request(std::vector<std::pair<std::string, std::string>> fields) {
  net::Request made;
  made.headers = net::Headers(std::move(fields));
  return made;
}
bool same(std::vector<std::pair<std::string, std::string>> fields) {
  fields.emplace_back("Host", "api.example.com");
  return is_same_origin(request(std::move(fields)));
}
std::string source(const std::string& field) {
  return visitor_of(request({{"X-Skiff-Visitor", field}, {"X-Forwarded-For", "6.6.6.6"}}), "secret").source;
}
const MonotonicTime kNow = MonotonicTime(std::chrono::hours(1));

}  // namespace

TEST_CASE("who asks is believed of the edge alone") {
  CHECK(source("secret 203.0.113.9") == "203.0.113.9");
  CHECK(source("secret 2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::");
  CHECK(source("secret 127.0.0.1") == "loopback");
  CHECK(source("secret what") == "unknown");
  CHECK(source("guess 203.0.113.9") == "loopback");
  CHECK(source("") == "loopback");
  CHECK_FALSE(visitor_of(request({{"X-Skiff-Visitor", " 1.2.3.4"}}), "").by_edge);
}

TEST_CASE("pages of other origins are told apart") {
  CHECK(same({}));
  CHECK(same({{"Sec-Fetch-Site", "same-origin"}}));
  CHECK(same({{"Sec-Fetch-Site", "none"}}));
  CHECK_FALSE(same({{"Sec-Fetch-Site", "cross-site"}}));
  CHECK_FALSE(same({{"Sec-Fetch-Site", "same-site"}, {"Origin", "https://api.example.com"}}));
  CHECK(same({{"Origin", "https://api.example.com"}}));
  CHECK(same({{"Origin", "http://API.example.com:80"}}));
  for (const char* other : {"null", "", "https://evil.example", "https://api.example.com.evil.example",
                            "https://api.example.com:8443", "api.example.com"}) {
    CAPTURE(other);
    CHECK_FALSE(same({{"Origin", other}}));
  }
}

TEST_CASE("guesses slow down after the first ones, and are refused when they come faster than they may") {
  Attempts attempts;
  for (int i = 0; i < Attempts::kFarPace.burst; ++i) CHECK(attempts.begin("203.0.113.9", kNow) == 0s);
  CHECK(attempts.begin("203.0.113.9", kNow) == 2s);
  CHECK(attempts.begin("203.0.113.9", kNow) == 4s);
  CHECK_FALSE(attempts.begin("203.0.113.9", kNow));
  CHECK(attempts.begin("203.0.113.9", kNow + 10s) == 0s);
}

TEST_CASE("others are not slowed, and loopback is slowed late") {
  Attempts attempts;
  while (attempts.begin("203.0.113.9", kNow)) {
  }
  CHECK(attempts.begin("203.0.113.10", kNow) == 0s);
  for (int i = 0; i < Attempts::kLoopbackPace.burst; ++i) CHECK(attempts.begin("loopback", kNow) == 0s);
  CHECK(attempts.begin("loopback", kNow) == 100ms);
}

TEST_CASE("the right token costs nothing") {
  Attempts attempts;
  for (int i = 0; i < 1000; ++i) {
    CHECK(attempts.begin("203.0.113.9", kNow) == 0s);
    attempts.forgive("203.0.113.9", kNow);
  }
  CHECK(attempts.sources() == 0);
}

TEST_CASE("the table of sources is bounded and forgets who has guessed least") {
  Attempts attempts;
  for (int i = 0; i < 5; ++i) attempts.begin("worst", kNow);
  for (size_t i = 0; i < 2 * Attempts::kMaxSources; ++i) attempts.begin("s" + std::to_string(i), kNow);
  CHECK(attempts.sources() == Attempts::kMaxSources);
  for (int i = 5; i < Attempts::kFarPace.burst; ++i) CHECK(attempts.begin("worst", kNow) == 0s);
  CHECK(attempts.begin("worst", kNow) == 2s);
  attempts.begin("late", kNow + 1h);
  CHECK(attempts.sources() == 1);
}
