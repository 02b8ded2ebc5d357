#include "wire/http1.h"

#include <doctest/doctest.h>

namespace skiff::wire {

namespace {

Result<RequestHead> request(std::string fields) {
  return parse_request_head("POST /a?b=c HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n");
}

// Decodes in pieces of `step` bytes; the body, or the error.
Result<std::string> decode(BodyFraming framing, std::string_view bytes, size_t step) {
  BodyDecoder decoder(framing);
  std::string out;
  while (!bytes.empty() && !decoder.done()) {
    const auto used = decoder.decode(bytes.substr(0, step), out);
    if (!used) return std::unexpected(used.error());
    bytes.remove_prefix(*used);
  }
  SKIFF_RETURN_IF_ERROR(decoder.end_of_input());
  return out;
}

}  // namespace

TEST_CASE("a request head is taken apart") {
  const auto head = request("Content-Length: 12\r\nExpect: 100-continue\r\nConnection: Close\r\n");
  REQUIRE(head);
  CHECK(head->method == "POST");
  CHECK(head->target == "/a?b=c");
  CHECK(head->fields.size() == 4);
  CHECK(head->body.kind == BodyKind::kLength);
  CHECK(head->body.length == 12);
  CHECK(head->expects_continue);
  CHECK_FALSE(head->keep_alive);
}

TEST_CASE("ambiguous or malformed requests are refused") {
  for (const char* fields : {
           "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
           "Content-Length: 5\r\nContent-Length: 5\r\n",
           "Content-Length: 5, 5\r\n",
           "Content-Length: +5\r\n",
           "Content-Length: 0x5\r\n",
           "Content-Length: \r\n",
           "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
           "A: b\r\n folded\r\n",
           "A : b\r\n",
           ": b\r\n",
           "no colon\r\n",
           "A: b\x01\r\n",
           "Host: y\r\n",
           "A: b\rc\r\n",
       }) {
    CAPTURE(fields);
    const auto head = request(fields);
    REQUIRE_FALSE(head);
    CHECK(head.error().code == Code::kInvalidArgument);
  }
  CHECK(request("Transfer-Encoding: gzip, chunked\r\n").error().code == Code::kUnimplemented);
  CHECK_FALSE(parse_request_head("GET / HTTP/1.1\r\n\r\n"));
  CHECK_FALSE(parse_request_head("GET  / HTTP/1.1\r\nHost: x\r\n\r\n"));
  CHECK_FALSE(parse_request_head("GET / HTTP/2.0\r\nHost: x\r\n\r\n"));
  CHECK_FALSE(parse_request_head("G{}T / HTTP/1.1\r\nHost: x\r\n\r\n"));
  CHECK_FALSE(parse_request_head("\r\n"));
}

TEST_CASE("a Host that names no host is refused") {
  const auto taken = [](const std::string& host) {
    return parse_request_head("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n").has_value();
  };
  for (const char* host :
       {"", "a", "A.example", "a_b.example.", "a:80", "a:", "127.0.0.1:6443", "[::1]", "[::1]:65535", "~a"}) {
    CAPTURE(host);
    CHECK(taken(host));
  }
  for (const char* host : {"h:bad",  "h:80:90", "h:-1", "h:+1", "h:65536",   "h:000080", ":80", "[::1",
                           "[::1]x", "[h]:80",  "[]",   "::1",  "h/x",       "h;x",      "h{}", "h,i",
                           "h i",    "u@h",     "h\\x", "h%41", "h\xc3\xa9", "<h>"}) {
    CAPTURE(host);
    CHECK_FALSE(taken(host));
  }
  CHECK_FALSE(parse_request_head("GET / HTTP/1.0\r\nHost: h:bad\r\n\r\n"));
}

TEST_CASE("a target in absolute form says the host and becomes its path") {
  const auto read = [](const std::string& line) -> std::string {
    const auto head = parse_request_head(line + " HTTP/1.1\r\nHost: other\r\nA: b\r\n\r\n");
    if (!head) return "refused";
    return head->fields.front().second + " " + head->target + " " + std::to_string(head->fields.size());
  };
  CHECK(read("GET http://a:80/x?y=z") == "a:80 /x?y=z 2");
  CHECK(read("GET HTTPS://[::1]:6443") == "[::1]:6443 / 2");
  CHECK(read("GET http://a?y") == "a /?y 2");
  CHECK(read("OPTIONS http://a") == "a * 2");
  CHECK(read("OPTIONS *") == "other * 2");
  CHECK(read("CONNECT a:443") == "other a:443 2");
  for (const char* line :
       {"GET http://h:bad/", "GET http://", "GET http:///x", "GET http://u@h/", "GET x", "GET *",
        "GET ftp://a/", "GET a:80", "GET ?x", "CONNECT h:bad", "CONNECT http://a/", "OPTIONS http://h:bad"}) {
    CAPTURE(line);
    CHECK(read(line) == "refused");
  }
  const auto old = parse_request_head("GET http://a/ HTTP/1.0\r\n\r\n");
  REQUIRE(old);
  CHECK(old->fields == Fields{{"Host", "a"}});
}

TEST_CASE("the scanner finds the head's end byte by byte") {
  const std::string_view text = "GET / HTTP/1.1\r\nHost: x\r\n\r\nrest";
  HeadScanner scanner(100);
  for (size_t size = 1; size < text.size() - 4; ++size)
    CHECK(scanner.scan(text.substr(0, size)) == size_t{0});
  CHECK(scanner.scan(text) == text.size() - 4);
}

TEST_CASE("the scanner refuses bare line feeds and large heads") {
  CHECK(HeadScanner(100).scan("GET / HTTP/1.1\n").error().code == Code::kInvalidArgument);
  CHECK(HeadScanner(10).scan("GET / HTTP/1.1\r\n\r\n").error().code == Code::kResourceExhausted);
}

TEST_CASE("a response's body depends on its status and the method") {
  const std::string text = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n";
  CHECK(parse_response_head(text, "GET")->body.length == 3);
  CHECK(parse_response_head(text, "HEAD")->body.kind == BodyKind::kNone);
  CHECK(parse_response_head("HTTP/1.1 304 \r\nContent-Length: 3\r\n\r\n", "GET")->body.kind ==
        BodyKind::kNone);
  const auto open_end = parse_response_head("HTTP/1.1 200\r\n\r\n", "GET");
  CHECK(open_end->body.kind == BodyKind::kUntilClose);
  CHECK_FALSE(open_end->keep_alive);
  CHECK_FALSE(parse_response_head("HTTP/1.1 2x0 OK\r\n\r\n", "GET"));
}

TEST_CASE("a chunked body comes out whole, however it is cut") {
  const std::string_view text = "3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nTrailer: z\r\n\r\n";
  for (size_t step = 1; step <= text.size(); ++step) {
    CHECK(decode({BodyKind::kChunked, 0}, text, step) == "abc0123456789");
  }
}

TEST_CASE("bad chunks are refused") {
  for (const char* text : {"\r\n", "g\r\n", "-1\r\n", "3\nabc", "3 \r\nabc\r\n", "0x3\r\nabc\r\n",
                           "2\r\nabc\r\n", "fffffffffffffffff\r\n", "3;\x01\r\nabc\r\n"}) {
    CAPTURE(text);
    const auto body = decode({BodyKind::kChunked, 0}, text, 100);
    REQUIRE_FALSE(body);
    CHECK(body.error().code == Code::kInvalidArgument);
  }
}

TEST_CASE("a chunk's size may have leading zeros, up to sixteen digits") {
  CHECK(decode({BodyKind::kChunked, 0}, "0000000000000003\r\nabc\r\n000\r\n\r\n", 100) == "abc");
  CHECK_FALSE(decode({BodyKind::kChunked, 0}, "00000000000000003\r\nabc\r\n0\r\n\r\n", 100));
  CHECK_FALSE(decode({BodyKind::kChunked, 0}, "1000000000000000\r\n", 100));
}

TEST_CASE("trailers that are no fields are refused") {
  for (const char* trailer :
       {"GET /smuggled HTTP/1.1", "no colon", "A : b", ": b", " A: b", "G T http://a/"}) {
    CAPTURE(trailer);
    const auto body =
        decode({BodyKind::kChunked, 0}, std::string("0\r\nX: y\r\n") + trailer + "\r\n\r\n", 100);
    REQUIRE_FALSE(body);
    CHECK(body.error().code == Code::kInvalidArgument);
  }
}

TEST_CASE("a body that ends early is an error") {
  CHECK(decode({BodyKind::kLength, 5}, "abc", 10).error().code == Code::kUnavailable);
  CHECK(decode({BodyKind::kUntilClose, 0}, "abc", 10) == "abc");
}

TEST_CASE("a value cannot add a line") {
  std::string out;
  append_field(out, "A", "b\r\nEvil: c");
  CHECK(out == "A: b  Evil: c\r\n");
}

}  // namespace skiff::wire
