#include "edge/log_queue.h"

#include <doctest/doctest.h>

namespace skiff::edge {
namespace {

constexpr int64_t kTime = 1767225600000;  // 2026-01-01T00:00:00Z

LogLine line(std::string name, std::string text) {
  return {std::move(name), kTime, std::move(text)};
}

std::vector<std::string> texts(const std::vector<LogLine>& lines) {
  std::vector<std::string> out;
  for (const auto& one : lines) out.push_back(one.log_namespace + ":" + one.text);
  return out;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("lines come out in order, a batch at a time") {
  LogQueue queue(100);
  queue.push({line("a", "one"), line("b", "two"), line("a", "three")});
  CHECK(texts(queue.take(4)) == Texts{"a:one", "b:two"});
  CHECK(texts(queue.take(4)) == Texts{"a:three"});
  CHECK(queue.empty());
}

TEST_CASE("what does not fit is counted for its own namespace") {
  LogQueue queue(6);
  queue.push({line("a", "12345"), line("b", "12345"), line("b", "12345"), line("a", "12")});
  CHECK_FALSE(queue.empty());
  CHECK(texts(queue.take(100)) ==
        Texts{"a:Error L10 (output buffer overflow): 1 messages dropped since 2026-01-01T00:00:00.000000Z.",
              "b:Error L10 (output buffer overflow): 2 messages dropped since 2026-01-01T00:00:00.000000Z.",
              "a:12345"});
  CHECK(queue.empty());
}

TEST_CASE("taking lines makes room for more") {
  LogQueue queue(5);
  queue.push({line("a", "12345")});
  queue.take(100);
  queue.push({line("a", "12345")});
  CHECK(texts(queue.take(100)) == Texts{"a:12345"});
}

TEST_CASE("a batch that could not be delivered is counted, and so is what it told of") {
  LogQueue queue(5);
  queue.push({line("a", "12345"), line("a", "x"), line("a", "y")});
  queue.count_lost(queue.take(100));
  const auto told = queue.take(100);
  REQUIRE(told.size() == 1);
  CHECK(told[0].stands_for == 3);
  CHECK(told[0].text.starts_with("Error L10 (output buffer overflow): 3 messages dropped since "));
}

TEST_CASE("a frame is counted in bytes") {
  std::string out;
  append_frame(line("shop", "at=info"), out);
  const std::string text = "<158>1 2026-01-01T00:00:00.000000Z shop heroku router - at=info\n";
  CHECK(out == std::to_string(text.size()) + " " + text);
}

}  // namespace skiff::edge
