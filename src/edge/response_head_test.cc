#include <doctest/doctest.h>

#include <string>

#include "edge/head.h"

namespace skiff::edge {
namespace {

Framing framing_of(const std::string& text, bool to_head = false) {
  ResponseHead head;
  REQUIRE(parse_response(text, to_head, head) == Parse::kComplete);
  return head.framing;
}

Parse result_of(const std::string& text) {
  ResponseHead head;
  return parse_response(text, false, head);
}

}  // namespace

TEST_CASE("a response's body ends as its head says") {
  CHECK(framing_of("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n") == Framing::kLength);
  CHECK(framing_of("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") == Framing::kNone);
  CHECK(framing_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n") == Framing::kChunked);
  CHECK(framing_of("HTTP/1.1 200 OK\r\n\r\n") == Framing::kUntilClose);
}

TEST_CASE("some responses have no body whatever their head says") {
  CHECK(framing_of("HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n") == Framing::kNone);
  CHECK(framing_of("HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n") == Framing::kNone);
  CHECK(framing_of("HTTP/1.1 103 Early Hints\r\n\r\n") == Framing::kNone);
  CHECK(framing_of("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", true) == Framing::kNone);
}

TEST_CASE("a connection whose response ends with it is not kept") {
  ResponseHead head;
  REQUIRE(parse_response("HTTP/1.1 200 OK\r\n\r\n", false, head) == Parse::kComplete);
  CHECK_FALSE(head.keep_alive);
  REQUIRE(parse_response("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n", false, head) == Parse::kComplete);
  CHECK_FALSE(head.keep_alive);
}

TEST_CASE("an empty reason is allowed, its space is not optional") {
  CHECK(result_of("HTTP/1.1 200 \r\n\r\n") == Parse::kComplete);
  CHECK(result_of("HTTP/1.1 200\r\n\r\n") == Parse::kBad);
}

TEST_CASE("malformed responses are refused") {
  for (const char* text : {
           "HTTP/2.0 200 OK\r\n\r\n",
           "HTTP/1.1 20 OK\r\n\r\n",
           "HTTP/1.1 099 OK\r\n\r\n",
           "HTTP/1.1 2x0 OK\r\n\r\n",
           "HTTP/1.1-200 OK\r\n\r\n",
           "hello\r\n\r\n",
           "HTTP/1.1 200 OK\nA: b\n",
           "HTTP/1.1 200 O\x01K\r\n\r\n",
           "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
       }) {
    CAPTURE(text);
    CHECK(result_of(text) == Parse::kBad);
  }
}

TEST_CASE("a response head without an end is too large at its limit") {
  ResponseHead head;
  const std::string text = "HTTP/1.1 200 OK\r\nA: " + std::string(kMaxResponseHead, 'x');
  CHECK(parse_response(text, false, head) == Parse::kBad);
  CHECK(head.too_large);
  CHECK(parse_response("HTTP/1.1 200 OK\r\n", false, head) == Parse::kIncomplete);
  CHECK_FALSE(head.too_large);
}

}  // namespace skiff::edge
