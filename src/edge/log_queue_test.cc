#include "edge/log_queue.h"

#include <doctest/doctest.h>

#include <vector>

namespace skiff::edge {
namespace {

constexpr int64_t kTime = 1767225600000;  // 2026-01-01T00:00:00Z

LogBatch batch(std::string_view name, std::vector<std::string> paths) {
  LogBatch out;
  for (const auto& path : paths) out.add(name, kTime, {.path = path});
  return out;
}

bool has(const LogBatch& batch, std::string_view text) {
  return batch.frames().find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("batches come out in order, about as much as was asked for") {
  LogQueue queue;
  queue.push(batch("a", {"/1"}));
  queue.push(batch("b", {"/2"}));
  queue.push(batch("a", {"/3"}));
  const std::string two = batch("a", {"/1"}).frames() + batch("b", {"/2"}).frames();
  CHECK(queue.take(two.size() - 1).frames() == two);
  CHECK(queue.take(1).frames() == batch("a", {"/3"}).frames());
  CHECK(queue.empty());
}

TEST_CASE("what does not fit is counted for its own namespace") {
  LogQueue queue(batch("a", {"/1"}).bytes());
  queue.push(batch("a", {"/1"}));
  queue.push(batch("b", {"/2", "/3"}));
  queue.push(batch("a", {"/4"}));
  CHECK_FALSE(queue.empty());
  const LogBatch taken = queue.take(1000);
  CHECK(has(taken, " a heroku router - Error L10 (output buffer overflow): 1 messages dropped since "));
  CHECK(has(taken, " b heroku router - Error L10 (output buffer overflow): 2 messages dropped since "));
  CHECK(has(taken, "/1"));
  CHECK(!has(taken, "/2"));
  CHECK(queue.empty());
}

TEST_CASE("taking lines makes room for more") {
  LogQueue queue(batch("a", {"/1"}).bytes());
  queue.push(batch("a", {"/1"}));
  queue.take(1000);
  queue.push(batch("a", {"/2"}));
  CHECK(queue.take(1000).frames() == batch("a", {"/2"}).frames());
}

TEST_CASE("a batch that could not be delivered is counted, and so is what it told of") {
  LogQueue queue(batch("a", {"/1"}).bytes());
  queue.push(batch("a", {"/1"}));
  queue.push(batch("a", {"/2", "/3"}));
  queue.count_lost(queue.take(1000).counts());
  const LogBatch told = queue.take(1000);
  CHECK(
      has(told, "Error L10 (output buffer overflow): 3 messages dropped since 2026-01-01T00:00:00.000000Z."));
  CHECK(told.counts().at("a").lines == 3);
}

}  // namespace skiff::edge
