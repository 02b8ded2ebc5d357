#include "edge/body.h"

#include <doctest/doctest.h>

#include <string>

namespace skiff::edge {
namespace {

enum class End { kDone, kMore, kBad };

// Feeds the bytes in pieces; how it ended, and how many bytes were the body's.
struct Fed {
  End end;
  size_t used;
};
Fed feed(Framing framing, uint64_t length, std::string_view bytes, size_t step) {
  Body body;
  body.start(framing, length);
  size_t used = 0;
  while (used < bytes.size() && !body.done()) {
    const auto piece = body.consume(bytes.substr(used, step));
    if (!piece) return {End::kBad, used};
    used += *piece;
  }
  return {body.done() ? End::kDone : End::kMore, used};
}

End chunked(std::string_view bytes) {
  const End whole = feed(Framing::kChunked, 0, bytes, bytes.size()).end;
  CHECK(feed(Framing::kChunked, 0, bytes, 1).end == whole);
  return whole;
}

}  // namespace

TEST_CASE("a body of a known length takes exactly its bytes") {
  CHECK(feed(Framing::kLength, 5, "helloGET /", 3).used == 5);
  CHECK(feed(Framing::kLength, 5, "hell", 4).end == End::kMore);
  CHECK(feed(Framing::kNone, 0, "GET /", 5).used == 0);
}

TEST_CASE("a chunked body ends after its trailers, wherever it is cut") {
  const std::string_view bytes = "5;a=b\r\nhello\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\nGET /";
  for (size_t step = 1; step <= bytes.size(); ++step) {
    CAPTURE(step);
    const Fed fed = feed(Framing::kChunked, 0, bytes, step);
    CHECK(fed.end == End::kDone);
    CHECK(bytes.substr(fed.used) == "GET /");
  }
}

TEST_CASE("malformed chunks are refused") {
  for (const char* bytes : {
           "\r\n",
           "x\r\n",
           "-1\r\n",
           "0x5\r\nhello",
           "5 \r\nhello",
           " 5\r\nhello",
           "5\nhello\n",
           "5\r\nhelloXX",
           "5\r\nhello\n",
           "5\r\nhello\r0\r\n\r\n",
           "1234567890123456\r\n",
           "5;a\nb\r\nhello",
           "0\r\n bad: x\r\n\r\n",
           "0\r\nX: y\n\r\n",
           "0\r\n\rx",
           "5;\x01\r\n",
       }) {
    CAPTURE(bytes);
    CHECK(chunked(bytes) == End::kBad);
  }
}

TEST_CASE("extensions and trailers have a limit together") {
  CHECK(chunked("5;" + std::string(kMaxTrailerBytes + 1, 'x')) == End::kBad);
  CHECK(chunked("0\r\nA: " + std::string(kMaxTrailerBytes, 'x')) == End::kBad);
}

TEST_CASE("a body that ends with its connection takes everything and is never done") {
  CHECK(feed(Framing::kUntilClose, 0, "anything", 3).end == End::kMore);
}

}  // namespace skiff::edge
