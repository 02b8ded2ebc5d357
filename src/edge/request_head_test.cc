#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "edge/head.h"

namespace skiff::edge {
namespace {

struct Parsed {
  std::string text;  // the head's views point here
  RequestHead head;
  Parse result = Parse::kIncomplete;
};

std::unique_ptr<Parsed> parse(std::string text) {
  auto made = std::make_unique<Parsed>();
  made->text = std::move(text);
  made->result = parse_request(made->text, 0, made->head);
  return made;
}

std::unique_ptr<Parsed> with_fields(const std::string& fields) {
  return parse("POST /a?b=c HTTP/1.1\r\nHost: shop.test\r\n" + fields + "\r\n");
}

// The status that the text is refused with; 0 when it is not.
int refusal(const std::string& text) {
  const auto parsed = parse(text);
  return parsed->result == Parse::kBad ? parsed->head.error_status : 0;
}

}  // namespace

TEST_CASE("a request head is taken apart") {
  const auto parsed = with_fields("Content-Length: 12\r\nVia: 1.1 x\r\nX-Request-Id: abc\r\n");
  REQUIRE(parsed->result == Parse::kComplete);
  CHECK(parsed->head.method == "POST");
  CHECK(parsed->head.target == "/a?b=c");
  CHECK(parsed->head.host == "shop.test");
  CHECK(parsed->head.via == "1.1 x");
  CHECK(parsed->head.request_id == "abc");
  CHECK(parsed->head.framing == Framing::kLength);
  CHECK(parsed->head.length == 12);
  CHECK(parsed->head.count == 4);
  CHECK(parsed->head.bytes == parsed->text.size());
  CHECK(parsed->head.keep_alive);
}

TEST_CASE("a head that arrives byte by byte is complete with its last byte") {
  const std::string text = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  RequestHead head;
  for (size_t size = 0; size < text.size(); ++size) {
    CAPTURE(size);
    CHECK(parse_request(std::string_view(text).substr(0, size), size > 0 ? size - 1 : 0, head) ==
          Parse::kIncomplete);
  }
  CHECK(parse_request(text, text.size() - 1, head) == Parse::kComplete);
}

TEST_CASE("what can't become a request is refused with its first bytes") {
  RequestHead head;
  for (const char* text :
       {"\x16\x03\x01\x02", "SSH-2.0-x\r\n", "{\"a\":1}", "GET / HTTP/9.9\r\n", "GET\x01", " "}) {
    CAPTURE(text);
    CHECK(parse_request(text, 0, head) == Parse::kBad);
  }
  for (const char* text :
       {"", "\r", "G", "GET", "GET ", "GET /\x01", "GET / HTTP/1.1\r", "GET / HTTP/1.1\r\nHo"}) {
    CAPTURE(text);
    CHECK(parse_request(text, 0, head) == Parse::kIncomplete);
  }
}

TEST_CASE("what two parsers could frame in two ways is refused") {
  for (const char* fields : {
           "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
           "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
           "Content-Length: 5\r\nContent-Length: 5\r\n",
           "Content-Length: 5\r\nContent-Length: 6\r\n",
           "Content-Length: 5, 5\r\n",
           "Content-Length: +5\r\n",
           "Content-Length: -1\r\n",
           "Content-Length: 0x5\r\n",
           "Content-Length: 5 5\r\n",
           "Content-Length: \r\n",
           "Content-Length: 9999999999999999999\r\n",
           "Content_Length: 5\r\n",
           "Transfer_Encoding: chunked\r\n",
           "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
           "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
       }) {
    CAPTURE(fields);
    CHECK(with_fields(fields)->result == Parse::kBad);
  }
}

TEST_CASE("any encoding of a body but chunked is not supported") {
  for (const char* value : {"identity", "gzip, chunked", "chunked, chunked", "xchunked", "chunked;a", ""}) {
    CAPTURE(value);
    CHECK(with_fields(std::string("Transfer-Encoding: ") + value + "\r\n")->head.error_status == 501);
  }
  CHECK(with_fields("Transfer-Encoding:\t Chunked \t\r\n")->head.framing == Framing::kChunked);
}

TEST_CASE("malformed fields are refused") {
  for (const char* fields : {
           "A: b\r\n folded\r\n",
           "A: b\r\n\tfolded\r\n",
           " A: b\r\n",
           "A : b\r\n",
           "Transfer-Encoding : chunked\r\n",
           ": b\r\n",
           "no colon\r\n",
           "A: b\x01\r\n",
           "A: b\x7f\r\n",
           "A: b\rc\r\n",
           "A: b\nC: d\r\n",
           "A\xc3: b\r\n",
           "Host: other.test\r\n",
       }) {
    CAPTURE(fields);
    CHECK(with_fields(fields)->result == Parse::kBad);
  }
  CHECK(with_fields(std::string("A: b\0c\r\n", 8))->result == Parse::kBad);
}

TEST_CASE("a bare line feed is refused before the head is complete") {
  RequestHead head;
  CHECK(parse_request("GET / HTTP/1.1\nHost: a\n\n", 0, head) == Parse::kBad);
  CHECK(parse_request("GET / HTTP/1.1\n", 0, head) == Parse::kBad);
}

TEST_CASE("malformed request lines are refused, each with its status") {
  const std::string tail = "\r\nHost: a\r\n\r\n";
  CHECK(refusal("GET /" + tail) == 400);
  CHECK(refusal("GET  HTTP/1.1" + tail) == 400);
  CHECK(refusal("GET / HTTP/1.10" + tail) == 505);
  CHECK(refusal("GET / HTTP/1.x" + tail) == 505);
  CHECK(refusal("GET / http/1.1" + tail) == 505);
  CHECK(refusal("GET / HTTP/2.0" + tail) == 505);
  CHECK(refusal("PRI * HTTP/2.0\r\n\r\n") == 505);
  CHECK(refusal("G(T / HTTP/1.1" + tail) == 400);
  CHECK(refusal("GET /a b HTTP/1.1" + tail) == 400);
  CHECK(refusal("GET  / HTTP/1.1" + tail) == 400);
  CHECK(refusal("GET\t/ HTTP/1.1" + tail) == 400);
  CHECK(refusal("GET /\x01 HTTP/1.1" + tail) == 400);
  CHECK(refusal("GET a HTTP/1.1" + tail) == 400);
  CHECK(refusal("GET * HTTP/1.1" + tail) == 400);
  CHECK(refusal("OPTIONS * HTTP/1.1" + tail) == 0);
  CHECK(refusal("CONNECT a:443 HTTP/1.1" + tail) == 405);
  CHECK(refusal("GET /" + std::string(kMaxTargetBytes, 'x') + " HTTP/1.1" + tail) == 414);
  CHECK(refusal("GET / HTTP/1.1\r\nHost: a\r\nA: " + std::string(kMaxHeadBytes, 'x') + "\r\n\r\n") == 431);
  CHECK(refusal("GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n") == 417);
}

TEST_CASE("a head that grows without an end is refused at its limit") {
  CHECK(refusal("GET /" + std::string(kMaxHeadBytes, 'x')) == 414);
  CHECK(refusal("GET / HTTP/1.1\r\nA: " + std::string(kMaxHeadBytes, 'x')) == 431);
}

TEST_CASE("more fields than the limit are refused") {
  std::string fields;
  for (size_t i = 1; i < kMaxFields; ++i) fields += "A: b\r\n";
  CHECK(with_fields(fields)->result == Parse::kComplete);
  CHECK(with_fields(fields + "A: b\r\n")->head.error_status == 431);
}

TEST_CASE("the target in absolute form decides the host") {
  const auto parsed = parse("GET http://one.test/x HTTP/1.1\r\nHost: two.test\r\n\r\n");
  REQUIRE(parsed->result == Parse::kComplete);
  CHECK(parsed->head.host == "one.test");
  CHECK(parsed->head.target == "/x");
  CHECK(parse("GET http://one.test HTTP/1.1\r\nHost: b\r\n\r\n")->head.target == "/");
  CHECK(parse("GET HTTP://one.test/x HTTP/1.1\r\nHost: b\r\n\r\n")->head.target == "/x");
  CHECK(parse("GET Https://one.test:443?x HTTP/1.1\r\nHost: b\r\n\r\n")->head.host == "one.test:443");
  CHECK(parse("OPTIONS http://one.test HTTP/1.1\r\nHost: b\r\n\r\n")->head.target == "*");
  CHECK(refusal("GET http:///x HTTP/1.1\r\nHost: b\r\n\r\n") == 400);
  CHECK(refusal("GET http://one.test:x/ HTTP/1.1\r\nHost: b\r\n\r\n") == 400);
  CHECK(refusal("GET http://one.test/ HTTP/1.1\r\nHost: b:x\r\n\r\n") == 400);
  CHECK(refusal("GET http://me@one.test/ HTTP/1.1\r\nHost: b\r\n\r\n") == 400);
  CHECK(refusal("GET ftp://one.test/ HTTP/1.1\r\nHost: b\r\n\r\n") == 400);
}

TEST_CASE("a host is one host") {
  const auto with_host = [](const std::string& host) {
    return refusal("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
  };
  for (const char* host :
       {"a/b",     "a b",          "a,b",       "me@a",    "a?b",      "a#b", "a\\b", "\"a\"",
        "a:bad",   "a:80:90",      "a:-1",      "a:65536", "a:000080", ":80", "[::1", "[::1]evil",
        "[::1]:x", "[::1%25eth0]", "[1.2.3.4]", "[]",      "::1",      "a;x", "a{}",  "a%20",
        "a=x",     "a'",           "a\xc3\xa9", "a|b",     "a<b"}) {
    CAPTURE(host);
    CHECK(with_host(host) == 400);
  }
  for (const char* host :
       {"a", "A.b-c_d~e.", "a:80", "a:", "127.0.0.1:65535", "[::1]", "[2001:db8::1]:8080", ""}) {
    CAPTURE(host);
    CHECK(with_host(host) == 0);
  }
  CHECK(refusal("GET / HTTP/1.1\r\n\r\n") == 400);
  CHECK(refusal("GET / HTTP/1.0\r\n\r\n") == 0);
}

TEST_CASE("a connection is kept as version and Connection say") {
  const auto keeps = [](const std::string& line, const std::string& fields) {
    return parse(line + "\r\nHost: a\r\n" + fields + "\r\n")->head.keep_alive;
  };
  CHECK(keeps("GET / HTTP/1.1", ""));
  CHECK_FALSE(keeps("GET / HTTP/1.1", "Connection: Close\r\n"));
  CHECK_FALSE(keeps("GET / HTTP/1.1", "Connection: keep-alive, close\r\n"));
  CHECK_FALSE(keeps("GET / HTTP/1.0", ""));
  CHECK(keeps("GET / HTTP/1.0", "Connection: keep-alive\r\n"));
}

TEST_CASE("an upgrade needs both fields, and h2c is never one") {
  const auto upgrades = [](const std::string& fields) { return with_fields(fields)->head.upgrade; };
  CHECK(upgrades("Connection: Upgrade\r\nUpgrade: websocket\r\n"));
  CHECK(upgrades("Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"));
  CHECK_FALSE(upgrades("Upgrade: websocket\r\n"));
  CHECK_FALSE(upgrades("Connection: Upgrade\r\n"));
  CHECK_FALSE(upgrades("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"));
  CHECK_FALSE(upgrades("Connection: Upgrade\r\nUpgrade: websocket, H2C\r\n"));
}

TEST_CASE("a minor version above 1 is served as 1") {
  const auto parsed = parse("GET / HTTP/1.2\r\nHost: a\r\n\r\n");
  REQUIRE(parsed->result == Parse::kComplete);
  CHECK(parsed->head.minor == 1);
  CHECK(parsed->head.keep_alive);
}

TEST_CASE("Connection names a few fields, not hundreds") {
  std::string options = "close";
  for (size_t i = 0; i < kMaxConnectionOptions; ++i) options += ", x";
  CHECK(with_fields("Connection: " + options + "\r\n")->result == Parse::kComplete);
  CHECK(with_fields("Connection: " + options + "\r\nConnection: y\r\n")->head.error_status == 400);
}

// Each field of a head is looked up in them.
TEST_CASE("what Connection names is kept, and nothing of a list of thousands of empty or usual elements") {
  const auto named = with_fields("Connection: close, X-Mine\r\nConnection: ,y\r\n");
  REQUIRE(named->head.connection_options == 2);
  CHECK(named->head.options[0] == "X-Mine");
  CHECK(named->head.options[1] == "y");
  std::string usual;
  for (int i = 0; i < 2000; ++i) usual += "close,";
  for (const std::string& list : {std::string(20000, ','), usual}) {
    const auto parsed = with_fields("Connection: " + list + "\r\n");
    REQUIRE(parsed->result == Parse::kComplete);
    CHECK(parsed->head.connection_options == 0);
  }
}

TEST_CASE("chunked is not for HTTP/1.0") {
  CHECK(refusal("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n") == 400);
}

TEST_CASE("a refused head shows nothing of the request before") {
  RequestHead head;
  REQUIRE(parse_request("GET /secret HTTP/1.1\r\nHost: a\r\n\r\n", 0, head) == Parse::kComplete);
  REQUIRE(parse_request("nonsense\r\n\r\n", 0, head) == Parse::kBad);
  CHECK(head.method.empty());
  CHECK(head.target.empty());
  CHECK(head.host.empty());
}

}  // namespace skiff::edge
