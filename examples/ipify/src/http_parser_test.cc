#include "http_parser.h"

#include <string>

#include "testing.h"

namespace ipify {
namespace {

std::string head(std::string_view request_line, std::string_view headers = "Host: a\r\n") {
  return std::string(request_line) + "\r\n" + std::string(headers) + "\r\n";
}

int status_of(const std::string& text) {
  const auto request = parse_head(text);
  return request ? 200 : static_cast<int>(request.error().status);
}

TEST("a plain request is understood") {
  const std::string text =
      head("GET /?format=json HTTP/1.1", "Host: a\r\nX-Forwarded-For: 1.2.3.4 \r\nAccept:*/*\r\n");
  const auto request = parse_head(text);
  CHECK(request.has_value());
  CHECK(request->method == Method::kGet);
  CHECK_EQ(request->target, "/?format=json");
  CHECK(request->keep_alive);
  CHECK_EQ(request->forwarded_for().size(), 1u);
  CHECK_EQ(request->forwarded_for()[0], "1.2.3.4");
}

TEST("the end of a head is found wherever the bytes are cut") {
  const std::string text = head("GET / HTTP/1.1") + "GET";
  const std::size_t whole = text.size() - 3;
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    const HeadScan first = find_head_end(std::string_view(text).substr(0, cut), 0);
    if (cut >= whole) {
      CHECK(first.state == HeadScan::State::kComplete);
      CHECK_EQ(first.position, whole);
      continue;
    }
    CHECK(first.state == HeadScan::State::kIncomplete);
    const HeadScan second = find_head_end(text, first.position);
    CHECK(second.state == HeadScan::State::kComplete);
    CHECK_EQ(second.position, whole);
  }
}

TEST("a bare line feed is refused, not awaited") {
  CHECK(find_head_end("GET / HTTP/1.1\n", 0).state == HeadScan::State::kBareLineFeed);
  CHECK(find_head_end("\n", 0).state == HeadScan::State::kBareLineFeed);
}

TEST("keep-alive follows the version and the Connection header") {
  CHECK(parse_head(head("GET / HTTP/1.1"))->keep_alive);
  CHECK(!parse_head(head("GET / HTTP/1.1", "Host: a\r\nConnection: x, Close\r\n"))->keep_alive);
  CHECK(!parse_head(head("GET / HTTP/1.0"))->keep_alive);
  CHECK(parse_head(head("GET / HTTP/1.0", "Connection: Keep-Alive\r\n"))->keep_alive);
}

TEST("header names are read in any case") {
  const std::string text = head("GET / HTTP/1.1", "hOST: a\r\nx-FORWARDED-for: 9.9.9.9\r\n");
  CHECK_EQ(parse_head(text)->forwarded_for()[0], "9.9.9.9");
}

TEST("a request that two servers could read differently is refused") {
  const std::string_view get = "GET / HTTP/1.1";
  CHECK_EQ(status_of(head(get, "Host: a\r\nHost: b\r\n")), 400);
  CHECK_EQ(status_of(head(get, "Host: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n")), 400);
  CHECK_EQ(status_of(head(get, "Host: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n")), 400);
  CHECK_EQ(status_of(head(get, "Host: a\r\nContent-Length : 1\r\n")), 400);
  CHECK_EQ(status_of(head(get, "Host: a\r\nA: b\r\n folded\r\n")), 400);
  CHECK_EQ(status_of(head(get, "Host: a\r\nA: b\rc\r\n")), 400);
  CHECK_EQ(status_of(head(get, std::string_view("Host: a\r\nA: b\0c\r\n", 17))), 400);
  CHECK_EQ(status_of(head("GET / HTTP/1.0", "Transfer-Encoding: chunked\r\n")), 400);
}

TEST("a Content-Length that is no number is refused") {
  for (const char* value : {"", "-1", "+1", "1 ", "0x1", "1,1", "18446744073709551616"}) {
    const std::string text =
        head("POST / HTTP/1.1", "Host: a\r\nContent-Length: " + std::string(value) + "\r\n");
    CHECK_EQ(status_of(text), std::string_view(value) == "1 " ? 200 : 400);
  }
}

TEST("a malformed request line is refused") {
  CHECK_EQ(status_of(head("GET /")), 400);
  CHECK_EQ(status_of(head("GET  HTTP/1.1")), 400);
  CHECK_EQ(status_of(head("GET / x HTTP/1.1")), 400);
  CHECK_EQ(status_of(head("G(T / HTTP/1.1")), 400);
  CHECK_EQ(status_of(head("GET /\xc3\xa9 HTTP/1.1")), 400);
  CHECK_EQ(status_of(head("GET / http/1.1")), 400);
  CHECK_EQ(status_of(head("PRI * HTTP/2.0")), 505);
  CHECK_EQ(status_of(head("")), 400);
}

TEST("HTTP/1.1 needs a Host and HTTP/1.0 does not") {
  CHECK_EQ(status_of(head("GET / HTTP/1.1", "A: b\r\n")), 400);
  CHECK_EQ(status_of(head("GET / HTTP/1.0", "")), 200);
}

TEST("every count has a bound") {
  std::string many = "Host: a\r\n";
  for (std::size_t i = 0; i < kMaxHeaderLines; ++i) many += "A: b\r\n";
  CHECK_EQ(status_of(head("GET / HTTP/1.1", many)), 431);
  std::string forwarded = "Host: a\r\n";
  for (std::size_t i = 0; i <= kMaxForwardedLines; ++i) forwarded += "X-Forwarded-For: 1.2.3.4\r\n";
  CHECK_EQ(status_of(head("GET / HTTP/1.1", forwarded)), 431);
  CHECK_EQ(status_of(head("GET /" + std::string(kMaxTargetBytes, 'a') + " HTTP/1.1")), 414);
}

}  // namespace
}  // namespace ipify
