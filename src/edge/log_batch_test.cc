#include "edge/log_batch.h"

#include <doctest/doctest.h>

namespace skiff::edge {
namespace {

constexpr int64_t kTime = 1767225600000;  // 2026-01-01T00:00:00Z

std::string line_of(const Access& access) {
  std::string out;
  append_access(access, out);
  return out;
}

}  // namespace

TEST_CASE("a frame is counted in bytes, with as many digits as it takes") {
  for (const size_t path : {1, 600, 1000, 20000}) {
    const std::string text(path, 'p');
    const Access access{.method = "GET", .path = text};
    const std::string frame =
        "<158>1 2026-01-01T00:00:00.000000Z shop heroku router - " + line_of(access) + "\n";
    LogBatch batch;
    batch.add("shop", kTime, access);
    batch.add("shop", kTime, access);
    const std::string one = std::to_string(frame.size()) + " " + frame;
    CHECK(batch.frames() == one + one);
    CHECK(batch.bytes() == 2 * one.size());
  }
}

TEST_CASE("lines are counted for their namespace, from the first on") {
  LogBatch batch, later;
  batch.add("a", kTime, {});
  batch.add("a", kTime + 1, {});
  later.add("b", kTime + 2, {});
  later.add("a", kTime + 3, {});
  batch.append(std::move(later));
  CHECK(batch.counts().at("a").lines == 3);
  CHECK(batch.counts().at("a").since_ms == kTime);
  CHECK(batch.counts().at("b").since_ms == kTime + 2);
}

TEST_CASE("a line that tells of lost ones stands for them") {
  LogBatch batch;
  batch.add_loss("shop", {3, kTime});
  CHECK(batch.frames() ==
        "146 <158>1 2026-01-01T00:00:00.000000Z shop heroku router - "
        "Error L10 (output buffer overflow): 3 messages dropped since "
        "2026-01-01T00:00:00.000000Z.\n");
  CHECK(batch.counts().at("shop").lines == 3);
}

}  // namespace skiff::edge
