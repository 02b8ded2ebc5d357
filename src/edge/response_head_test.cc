#include <doctest/doctest.h>

#include <string>

#include "edge/head.h"

namespace skiff::edge {
namespace {

Framing framing_of(const std::string& text, bool to_head = false) {
  ResponseHead head;
  REQUIRE(parse_response(text, 0, to_head, head) == Parse::kComplete);
  return head.framing;
}

Parse result_of(const std::string& text) {
  ResponseHead head;
  return parse_response(text, 0, false, head);
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
  REQUIRE(parse_response("HTTP/1.1 200 OK\r\n\r\n", 0, false, head) == Parse::kComplete);
  CHECK_FALSE(head.keep_alive);
  REQUIRE(parse_response("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n", 0, false, head) == Parse::kComplete);
  CHECK_FALSE(head.keep_alive);
}

TEST_CASE("the reason may be missing, with its blank or without") {
  CHECK(result_of("HTTP/1.1 200 \r\n\r\n") == Parse::kComplete);
  CHECK(result_of("HTTP/1.1 200\r\n\r\n") == Parse::kComplete);
  CHECK(result_of("HTTP/1.1 200OK\r\n\r\n") == Parse::kBad);
  CHECK(result_of("HTTP/1.1 2000\r\n\r\n") == Parse::kBad);
}

TEST_CASE("a length said twice alike is one, and its connection ends") {
  for (const char* fields :
       {"Content-Length: 2\r\nContent-Length: 2\r\n", "Content-Length: 2, 2\r\n",
        "Content-Length: 2,2\r\nContent-Length: 02\r\n", "Content-Length: 000000000000000000002\r\n"}) {
    CAPTURE(fields);
    ResponseHead head;
    REQUIRE(parse_response(std::string("HTTP/1.1 200 OK\r\n") + fields + "\r\n", 0, false, head) ==
            Parse::kComplete);
    CHECK(head.length == 2);
    CHECK(head.restate_length);
    CHECK_FALSE(head.keep_alive);
  }
}

TEST_CASE("chunks in HTTP/1.0 are chunks, and their connection ends") {
  ResponseHead head;
  REQUIRE(parse_response("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n", 0,
                         false, head) == Parse::kComplete);
  CHECK(head.framing == Framing::kChunked);
  CHECK_FALSE(head.keep_alive);
}

TEST_CASE("lines that end in a line feed alone, and folds, are read, and their connection ends") {
  for (const char* text : {
           "HTTP/1.1 200 OK\nX: a b\nContent-Length: 2\n\nok",
           "HTTP/1.1 200 OK\r\nX: a b\nContent-Length: 2\r\n\r\nok",
           "HTTP/1.1 200 OK\r\nX: a b\r\nContent-Length: 2\n\nok",
           "HTTP/1.1 200 OK\nX: a b\nContent-Length: 2\n\r\nok",
           "HTTP/1.1 200 OK\r\nX: a b\r\nContent-Length: 2\r\n\nok\r\n\r\n",
           "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok",
           "HTTP/1.1 200 OK\r\nX: a\r\n\t \tb \r\nContent-Length: 2\r\n\r\nok",
           "HTTP/1.1 200 OK\nX: a\n b\nContent-Length: 2\n\nok",
       }) {
    CAPTURE(text);
    const std::string_view bytes = text;
    const size_t end = bytes.find("ok");
    ResponseHead head;
    // Wherever it is cut.
    for (size_t size = 0; size < end; ++size) {
      CHECK(parse_response(bytes.substr(0, size), size > 0 ? size - 1 : 0, false, head) ==
            Parse::kIncomplete);
    }
    REQUIRE(parse_response(bytes, end - 1, false, head) == Parse::kComplete);
    CHECK(head.bytes == end);
    CHECK(head.length == 2);
    CHECK_FALSE(head.keep_alive);
    CHECK(head.fields[0].value == "a b");
  }
}

TEST_CASE("control characters that end nothing become blanks") {
  ResponseHead head;
  REQUIRE(parse_response("HTTP/1.1 200 O\x01K\r\nX: a\x7f"
                         "b\x1b[1m\r\nContent-Length: 2\r\n\r\n",
                         0, false, head) == Parse::kComplete);
  CHECK(head.reason == "O K");
  CHECK(head.fields[0].value == "a b [1m");
  CHECK_FALSE(head.keep_alive);
  CHECK(result_of(std::string("HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n", 28)) == Parse::kBad);
  CHECK(result_of("HTTP/1.1 200 OK\r\nContent-Length: 2\x01\r\nContent-Length: 3\r\n\r\n") == Parse::kBad);
}

TEST_CASE("a name that only looks like a framing one frames nothing") {
  CHECK(framing_of("HTTP/1.1 200 OK\r\nContent_Length: 3\r\nTransfer_Encoding: chunked\r\n\r\n") ==
        Framing::kUntilClose);
}

TEST_CASE("what frames a message is never folded") {
  for (const char* head :
       {"Content-Length:\r\n 2", "Transfer-Encoding:\r\n chunked", "transfer_encoding: x\r\n\tchunked",
        "Connection: close,\r\n X", " X: b", "no colon\r\n b"}) {
    CAPTURE(head);
    CHECK(result_of(std::string("HTTP/1.1 200 OK\r\n") + head + "\r\n\r\n") == Parse::kBad);
  }
}

TEST_CASE("malformed responses are refused") {
  for (const char* text : {
           "HTTP/2.0 200 OK\r\n\r\n",
           "HTTP/1.1 20 OK\r\n\r\n",
           "HTTP/1.1 099 OK\r\n\r\n",
           "HTTP/1.1 2x0 OK\r\n\r\n",
           "HTTP/1.1-200 OK\r\n\r\n",
           "hello\r\n\r\n",
           "\r\nHTTP/1.1 200 OK\r\n\r\n",
           "HTTP/1.1 200 OK\r\nA: b\r\r\n\r\n",
           "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n",
           "HTTP/1.1 200 OK\r\nA\x01: b\r\n\r\n",
           "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
           "HTTP/1.1 200 OK\nno colon\n\n",
           "HTTP\x01/1.1 200 OK\r\n\r\n",
           "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 1,\r\n\r\n",
           "HTTP/1.1 200 OK\nContent-Length: 1\nTransfer-Encoding: chunked\n\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 1\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
       }) {
    CAPTURE(text);
    CHECK(result_of(text) == Parse::kBad);
  }
}

TEST_CASE("a response head without an end is too large at its limit") {
  ResponseHead head;
  const std::string text = "HTTP/1.1 200 OK\r\nA: " + std::string(kMaxResponseHead, 'x');
  CHECK(parse_response(text, 0, false, head) == Parse::kBad);
  CHECK(head.too_large);
  CHECK(parse_response("HTTP/1.1 200 OK\r\n", 0, false, head) == Parse::kIncomplete);
  CHECK_FALSE(head.too_large);
}

}  // namespace skiff::edge
