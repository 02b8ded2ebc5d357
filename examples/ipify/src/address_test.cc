#include "address.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>
#include <string>

#include "testing.h"

namespace ipify {
namespace {

std::string canonical(std::string_view text) {
  const auto address = Address::parse(text);
  return address ? std::string(address->text().view()) : "not an address";
}

bool within(std::string_view prefix, std::string_view address) {
  return Prefix::parse(prefix)->contains(*Address::parse(address));
}

TEST("IPv4 is written dotted") {
  CHECK_EQ(canonical("0.0.0.0"), "0.0.0.0");
  CHECK_EQ(canonical("203.0.113.255"), "203.0.113.255");
}

TEST("an IPv4-mapped address is the IPv4 address") {
  CHECK_EQ(canonical("::ffff:192.0.2.1"), "192.0.2.1");
  CHECK_EQ(canonical("::ffff:c000:201"), "192.0.2.1");
  CHECK(*Address::parse("::ffff:192.0.2.1") == *Address::parse("192.0.2.1"));
}

TEST("IPv6 is written as RFC 5952 recommends") {
  CHECK_EQ(canonical("::"), "::");
  CHECK_EQ(canonical("::1"), "::1");
  CHECK_EQ(canonical("2001:DB8:0000:0000:0000:0000:0000:0001"), "2001:db8::1");
  CHECK_EQ(canonical("1::"), "1::");
  CHECK_EQ(canonical("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1");
  CHECK_EQ(canonical("2001:0:0:1:0:0:0:1"), "2001:0:0:1::1");
  CHECK_EQ(canonical("2001:db8:0:0:1:0:0:1"), "2001:db8::1:0:0:1");
  CHECK_EQ(canonical("0:0:1:2:3:4:5:6"), "::1:2:3:4:5:6");
  CHECK_EQ(canonical("1:2:3:4:5:6:0:0"), "1:2:3:4:5:6::");
}

TEST("the longest address fits its text") {
  CHECK_EQ(canonical("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

TEST("what is not an address is refused") {
  using namespace std::string_view_literals;
  for (const auto text :
       {""sv, "1.2.3"sv, "1.2.3.256"sv, "01.2.3.4"sv, "1.2.3.4 "sv, "::1%eth0"sv, ":::"sv, "unknown"sv,
        "1.2.3.4\0"sv, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"sv}) {
    CHECK(!Address::parse(text));
  }
}

TEST("a socket's IPv4 and mapped IPv6 peers are one value") {
  sockaddr_storage storage{};
  sockaddr_in ipv4{};
  ipv4.sin_family = AF_INET;
  ipv4.sin_addr.s_addr = htonl(0xcb007101);
  std::memcpy(&storage, &ipv4, sizeof ipv4);
  CHECK_EQ(Address::from_socket(storage).text().view(), "203.0.113.1");
  sockaddr_in6 ipv6{};
  ipv6.sin6_family = AF_INET6;
  ipv6.sin6_addr.s6_addr[10] = ipv6.sin6_addr.s6_addr[11] = 0xff;
  std::memcpy(&ipv6.sin6_addr.s6_addr[12], &ipv4.sin_addr, 4);
  std::memcpy(&storage, &ipv6, sizeof ipv6);
  CHECK_EQ(Address::from_socket(storage).text().view(), "203.0.113.1");
}

TEST("a prefix contains its own addresses and no neighbour") {
  CHECK(within("172.16.0.0/12", "172.31.255.255"));
  CHECK(!within("172.16.0.0/12", "172.32.0.0"));
  CHECK(within("fc00::/7", "fdff::1"));
  CHECK(!within("fc00::/7", "fe00::1"));
  CHECK(within("10.1.2.3/8", "10.255.0.1"));
  CHECK(within("192.0.2.1", "192.0.2.1"));
  CHECK(!within("192.0.2.1", "192.0.2.2"));
  CHECK(within("0.0.0.0/0", "8.8.8.8"));
  CHECK(!within("0.0.0.0/0", "2001:db8::1"));
  CHECK(within("::/0", "8.8.8.8"));
}

TEST("a malformed prefix is refused") {
  for (const char* text :
       {"", "/8", "10.0.0.0/", "10.0.0.0/33", "fc00::/129", "10.0.0.0/8x", "10.0.0.0/-1", "ten/8"}) {
    CHECK(!Prefix::parse(text));
  }
}

}  // namespace
}  // namespace ipify
