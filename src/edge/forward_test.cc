#include "edge/forward.h"

#include <doctest/doctest.h>

#include <string>

namespace skiff::edge {
namespace {

constexpr std::string_view kId = "0f8fad5b-d9cb-469f-a165-70867728950e";

// The head that the pod gets for a request with these fields.
std::string forwarded(const std::string& fields, std::string_view line = "GET /a HTTP/1.1",
                      bool tls = false) {
  const std::string text = std::string(line) + "\r\nHost: shop.test\r\n" + fields + "\r\n";
  RequestHead head;
  REQUIRE(parse_request(text, 0, head) == Parse::kComplete);
  std::string out;
  append_request(
      head,
      {.client_ip = "192.0.2.1", .request_id = kId, .port = "80", .tls = tls, .start_ms = 1700000000123},
      out);
  return out;
}

std::string returned(const std::string& head_text, After after = After::kKeepAlive,
                     Form form = Form::kChunks) {
  ResponseHead head;
  REQUIRE(parse_response(head_text, 0, false, head) == Parse::kComplete);
  std::string out;
  append_response(head, after, form, out);
  return out;
}

bool has(const std::string& text, std::string_view piece) {
  return text.find(piece) != std::string::npos;
}

const std::string kAdded =
    "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Port: 80\r\nX-Request-Id: " +
    std::string(kId) + "\r\nX-Request-Start: 1700000000123\r\nVia: 1.1 heroku-router\r\n\r\n";

}  // namespace

TEST_CASE("a pod gets the request and what only the edge may say") {
  CHECK(forwarded("Accept: */*\r\nCookie: a=b\r\n") ==
        "GET /a HTTP/1.1\r\nHost: shop.test\r\nAccept: */*\r\nCookie: a=b\r\n" + kAdded);
}

TEST_CASE("over TLS the pod is told so") {
  CHECK(has(forwarded("", "GET / HTTP/1.1", true), "\r\nX-Forwarded-Proto: https\r\n"));
}

TEST_CASE("a client can't forge what the edge says, in no spelling") {
  for (const char* name : {"X-Forwarded-For", "x-forwarded-for", "X_Forwarded_For", "X-Forwarded-Proto",
                           "X-Forwarded-Host", "X-Forwarded-Foo", "Forwarded", "X-Request-Start",
                           "X_Request_Start", "X-Request-Id", "X-Request_Id", "Proxy", "PROXY"}) {
    CAPTURE(name);
    CHECK(forwarded(std::string(name) + ": forged\r\n", "GET /a HTTP/1.1") ==
          "GET /a HTTP/1.1\r\nHost: shop.test\r\n" + kAdded);
  }
}

TEST_CASE("Connection can't take away what the edge adds, nor the framing") {
  const auto out =
      forwarded("Connection: X-Forwarded-For, X-Request-Id, Host, Content-Length\r\nContent-Length: 3\r\n",
                "POST / HTTP/1.1");
  CHECK(has(out, "Host: shop.test\r\n"));
  CHECK(has(out, "Content-Length: 3\r\n"));
  CHECK(has(out, "X-Forwarded-For: 192.0.2.1\r\n"));
  CHECK_FALSE(has(out, "Connection"));
}

TEST_CASE("fields of the hop end at the edge") {
  const auto out = forwarded(
      "Connection: keep-alive, X-Mine\r\nKeep-Alive: 5\r\nTE: trailers\r\nTrailer: X\r\nProxy-Connection: "
      "close\r\n"
      "X-Mine: 1\r\nUpgrade: websocket\r\n");
  CHECK(out == "GET /a HTTP/1.1\r\nHost: shop.test\r\n" + kAdded);
}

TEST_CASE("an upgrade is passed on with its own Connection") {
  const auto out = forwarded("Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n");
  CHECK(has(out, "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"));
  CHECK(
      has(forwarded("Connection: Upgrade, X-Mine\r\nUpgrade: websocket\r\n"), "\r\nUpgrade: websocket\r\n"));
  CHECK_FALSE(
      has(forwarded("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n"), "h2c"));
}

TEST_CASE("the edge joins the proxies before it in Via") {
  CHECK(has(forwarded("Via: 1.0 one\r\n"), "\r\nVia: 1.0 one, 1.1 heroku-router\r\n"));
}

TEST_CASE("the host of an absolute target is the one sent on") {
  CHECK(forwarded("", "GET http://other.test/x HTTP/1.1")
            .starts_with("GET /x HTTP/1.1\r\nHost: other.test\r\n"));
}

TEST_CASE("an absolute target is sent on as a path") {
  const auto line = [](const std::string& target, const std::string& method = "GET") {
    const auto out = forwarded("", method + " " + target + " HTTP/1.1");
    return out.substr(0, out.find("\r\n"));
  };
  CHECK(line("http://a?q=1") == "GET /?q=1 HTTP/1.1");
  CHECK(line("http://a") == "GET / HTTP/1.1");
  CHECK(line("http://a", "OPTIONS") == "OPTIONS * HTTP/1.1");
  CHECK(line("http://a?q", "OPTIONS") == "OPTIONS /?q HTTP/1.1");
}

TEST_CASE("what announces trailers passes where they do") {
  CHECK(has(forwarded("Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n", "POST / HTTP/1.1"),
            "\r\nTrailer: X-Sum\r\n"));
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n";
  CHECK(has(returned(chunked), "\r\nTrailer: X-Sum\r\n"));
  CHECK_FALSE(has(returned("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTrailer: X\r\n\r\n"), "Trailer"));
  const auto plain = returned(chunked, After::kClose, Form::kContent);
  CHECK_FALSE(has(plain, "Trailer"));
  CHECK_FALSE(has(plain, "Transfer-Encoding"));
  CHECK(has(plain, "\r\nConnection: close\r\n"));
}

TEST_CASE("a length that came twice goes on once") {
  CHECK(returned("HTTP/1.1 200 OK\r\nContent-Length: 02\r\nA: b\r\nContent-Length: 2, 2\r\n\r\n") ==
        "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 2\r\nVia: 1.1 heroku-router\r\n\r\n");
}

TEST_CASE("a name that only looks like a framing one ends at the edge") {
  CHECK(
      returned("HTTP/1.1 200 OK\r\nContent_Length: 9\r\nTransfer_Encoding: x\r\nContent-Length: 2\r\n\r\n") ==
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nVia: 1.1 heroku-router\r\n\r\n");
}

TEST_CASE("no field speaks of a body where there never is one") {
  for (const char* status : {"103 Early Hints", "204 No Content"}) {
    for (const char* field : {"Content-Length: 2", "Transfer-Encoding: chunked"}) {
      const auto out = returned(std::string("HTTP/1.1 ") + status + "\r\nA: b\r\n" + field + "\r\n\r\n");
      CHECK(has(out, "\r\nA: b\r\nVia: "));
    }
  }
}

TEST_CASE("a 426 says what to switch to") {
  const std::string head =
      "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Content-Length: 0\r\n\r\n";
  CHECK(has(returned(head), "\r\nUpgrade: websocket\r\nContent-Length: 0\r\nConnection: Upgrade\r\n"));
  CHECK(has(returned(head, After::kClose), "\r\nConnection: close, Upgrade\r\n"));
  CHECK_FALSE(has(returned("HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n"), "Connection"));
  CHECK_FALSE(
      has(returned("HTTP/1.1 200 OK\r\nUpgrade: h2\r\nConnection: Upgrade\r\nContent-Length: 0\r\n\r\n"),
          "Upgrade"));
}

TEST_CASE("a client's request id is kept when it is one") {
  CHECK(acceptable_request_id(kId));
  CHECK(acceptable_request_id("aA0-_+/=.aA0-_+/=.aA0"));
  CHECK_FALSE(acceptable_request_id("short"));
  CHECK_FALSE(acceptable_request_id("0123456789 0123456789"));
  CHECK_FALSE(acceptable_request_id("0123456789\"0123456789"));
  CHECK_FALSE(acceptable_request_id(std::string(201, 'a')));
  CHECK(acceptable_request_id(std::string(200, 'a')));
}

TEST_CASE("a request without an id gets a random UUID") {
  SeededRandom random(1), same(1);
  std::string id = "left over";
  for (int i = 0; i < 10; ++i) {
    assign_request_id(random, id);
    CHECK(id == make_uuid(same));
    CHECK(acceptable_request_id(id));
  }
}

TEST_CASE("a client gets the response without the pod's hop") {
  CHECK(
      returned(
          "HTTP/1.0 404 Not here\r\nServer: x\r\nConnection: close, X-Mine\r\nX-Mine: 1\r\nKeep-Alive: 5\r\n"
          "Content-Length: 0\r\n\r\n") ==
      "HTTP/1.1 404 Not here\r\nServer: x\r\nContent-Length: 0\r\nVia: 1.1 heroku-router\r\n\r\n");
}

TEST_CASE("the last response of a connection says so") {
  CHECK(has(returned("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", After::kClose),
            "\r\nConnection: close\r\n"));
  CHECK_FALSE(has(returned("HTTP/1.1 103 Early Hints\r\n\r\n", After::kClose), "Connection"));
}

TEST_CASE("a switch of protocols keeps its fields") {
  CHECK(has(returned("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
            "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"));
}

}  // namespace skiff::edge
