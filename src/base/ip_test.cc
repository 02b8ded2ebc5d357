#include "base/ip.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>

using namespace skiff;

namespace {

IpAddress ip(std::string_view text) {
  return parse_ip(text).value();
}
bool in(std::string_view network, std::string_view address) {
  return parse_network(network).value().contains(ip(address));
}

}  // namespace

TEST_CASE("addresses are read and written") {
  CHECK(ip("10.1.2.3").text() == "10.1.2.3");
  CHECK(ip("FE80:0::1").text() == "fe80::1");
  CHECK(ip("::ffff:10.1.2.3") == ip("10.1.2.3"));
  for (const char* wrong : {"", "10.1.2", "10.1.2.3:80", "[::1]", "fe80::1%eth0", "0x7f.1", "127.1",
                            "localhost", "10.01.2.3", "10.1.2.3 "}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_ip(wrong));
  }
}

TEST_CASE("loopback and link-local in every spelling") {
  for (const char* loop : {"127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"})
    CHECK(ip(loop).is_loopback());
  for (const char* local : {"169.254.169.254", "fe80::1", "febf::1", "::ffff:169.254.1.1"})
    CHECK(ip(local).is_link_local());
  for (const char* other : {"128.0.0.1", "169.253.0.1", "::2", "fec0::1"}) {
    CHECK_FALSE(ip(other).is_loopback());
    CHECK_FALSE(ip(other).is_link_local());
  }
}

TEST_CASE("a network contains what has its first bits") {
  CHECK(in("10.0.0.0/8", "10.255.0.1"));
  CHECK_FALSE(in("10.0.0.0/8", "11.0.0.1"));
  CHECK(in("10.42.128.0/17", "10.42.128.0"));
  CHECK_FALSE(in("10.42.128.0/17", "10.42.127.255"));
  CHECK(in("0.0.0.0/0", "1.2.3.4"));
  CHECK_FALSE(in("0.0.0.0/0", "::1"));
  CHECK(in("::/0", "1.2.3.4"));
  CHECK(in("fd00::/8", "fd12::1"));
  CHECK(in("192.0.2.7", "192.0.2.7"));
  CHECK_FALSE(in("192.0.2.7", "192.0.2.8"));
}

TEST_CASE("a network's addresses are counted from its base") {
  const auto network = parse_network("10.42.255.0/24").value();
  CHECK(network.at(1) == ip("10.42.255.1"));
  CHECK(network.at(256) == ip("10.43.0.0"));
  CHECK(network.last() == ip("10.42.255.255"));
}

TEST_CASE("what is no network is refused with a reason") {
  for (const char* wrong :
       {"", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/8/8", "x/8", "10.1.0.0/8"}) {
    CAPTURE(wrong);
    const auto network = parse_network(wrong);
    REQUIRE_FALSE(network);
    CHECK(network.error().message.find("is no network") != std::string::npos);
  }
  CHECK(parse_networks("10.0.0.0/8, ::1").value().size() == 2);
  CHECK(parse_networks("").value().empty());
  CHECK_FALSE(parse_networks("10.0.0.0/8,"));
}

TEST_CASE("an address of a socket is the one that its text names") {
  for (const char* text : {"10.1.2.3", "fd00::1"}) {
    CAPTURE(text);
    sockaddr_storage socket{};
    socket.ss_family = ip(text).is_v4() ? AF_INET : AF_INET6;
    void* place = ip(text).is_v4() ? static_cast<void*>(&reinterpret_cast<sockaddr_in&>(socket).sin_addr)
                                   : static_cast<void*>(&reinterpret_cast<sockaddr_in6&>(socket).sin6_addr);
    REQUIRE(::inet_pton(socket.ss_family, text, place) == 1);
    CHECK(address_of(reinterpret_cast<const sockaddr&>(socket)) == ip(text));
  }
  sockaddr other{};
  other.sa_family = AF_UNIX;
  CHECK_FALSE(address_of(other));
}
