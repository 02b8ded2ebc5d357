#include "edge/visitor.h"

#include <doctest/doctest.h>

namespace skiff::edge {
namespace {

Visitor read(const std::string& fields, std::string_view peer = "10.0.0.2") {
  const std::string text = "GET / HTTP/1.1\r\nHost: shop.test\r\n" + fields + "\r\n";
  RequestHead head;
  REQUIRE(parse_request(text, 0, head) == Parse::kComplete);
  Visitor out;
  read_visitor(head, {peer, "8080", false}, parse_networks("10.0.0.0/8,fd00::/8").value(), out);
  return out;
}

}  // namespace

TEST_CASE("a proxy that says nothing is the visitor itself") {
  const Visitor v = read("");
  CHECK(v.ip == "10.0.0.2");
  CHECK(v.chain == "10.0.0.2");
  CHECK(v.port == "8080");
  CHECK_FALSE(v.tls);
  CHECK(v.host.empty());
  CHECK(v.forwarded.empty());
}

TEST_CASE("what a proxy says is continued") {
  const Visitor v = read(
      "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Port: 8443\r\n"
      "X-Forwarded-Host: shop.example\r\n");
  CHECK(v.ip == "203.0.113.9");
  CHECK(v.chain == "203.0.113.9, 10.0.0.2");
  CHECK(v.tls);
  CHECK(v.port == "8443");
  CHECK(v.host == "shop.example");
}

TEST_CASE("without a port that of the scheme is meant") {
  CHECK(read("X-Forwarded-Proto: https\r\n").port == "443");
  CHECK(read("X-Forwarded-Proto: http\r\n").port == "80");
  CHECK(read("X-Forwarded-Proto: gopher\r\n").port == "8080");
  CHECK(read("X-Forwarded-Proto: https\r\nX-Forwarded-Port: 99999\r\n").port == "443");
}

TEST_CASE("the visitor is the nearest address that is no trusted proxy: others may be invented") {
  CHECK(read("X-Forwarded-For: 1.1.1.1, 203.0.113.9, 10.0.0.7\r\n").ip == "203.0.113.9");
  CHECK(read("X-Forwarded-For: 10.1.1.1, 10.0.0.7\r\n").ip == "10.1.1.1");
  CHECK(read("X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 203.0.113.9\r\n").ip == "203.0.113.9");
  CHECK(read("X-Forwarded-For: 203.0.113.9:4711\r\n").ip == "203.0.113.9");
  CHECK(read("X-Forwarded-For: [2001:db8::7]:4711\r\n").ip == "2001:db8::7");
  CHECK(read("X-Forwarded-For: 1.1.1.1, unknown, 10.0.0.7\r\n").ip == "10.0.0.7");
}

TEST_CASE("RFC 7239 says the same, and is continued too") {
  const Visitor v = read("Forwarded: for=\"[2001:db8::7]:4711\";proto=https, for=10.0.0.7;proto=http\r\n");
  CHECK(v.ip == "2001:db8::7");
  CHECK(v.chain == "2001:db8::7, 10.0.0.7, 10.0.0.2");
  CHECK(v.tls);
  CHECK(v.port == "443");
  CHECK(v.forwarded ==
        "for=\"[2001:db8::7]:4711\";proto=https, for=10.0.0.7;proto=http, for=10.0.0.2;proto=http");
  CHECK(read("Forwarded: for=_hidden\r\n", "fd00::2").forwarded ==
        "for=_hidden, for=\"[fd00::2]\";proto=http");
  CHECK(read("Forwarded: For = 1.2.3.4; =;;\r\n").ip == "10.0.0.2");
}

}  // namespace skiff::edge
