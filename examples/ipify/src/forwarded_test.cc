#include "forwarded.h"

#include <string>
#include <vector>

#include "config.h"
#include "testing.h"

namespace ipify {
namespace {

std::string client(std::string_view peer, std::vector<std::string_view> lines, const TrustPolicy& trust) {
  return std::string(client_address(*Address::parse(peer), lines, trust).text().view());
}

const TrustPolicy kDefault = default_trust();
// The chain a load balancer and an edge form.
const TrustPolicy kListed = *parse_trusted_proxies("10.0.0.1, 10.0.0.2");

TEST("a peer that is no proxy cannot say who it is") {
  CHECK_EQ(client("203.0.113.9", {"8.8.8.8"}, kDefault), "203.0.113.9");
  CHECK_EQ(client("2001:db8::9", {"8.8.8.8"}, kDefault), "2001:db8::9");
}

TEST("behind the edge the right-most entry is the client") {
  CHECK_EQ(client("10.88.0.1", {"198.51.100.7"}, kDefault), "198.51.100.7");
  CHECK_EQ(client("::1", {"2001:DB8::7"}, kDefault), "2001:db8::7");
}

TEST("what the client forged stands further left and is ignored") {
  CHECK_EQ(client("10.88.0.1", {"8.8.8.8, 1.1.1.1, 198.51.100.7"}, kDefault), "198.51.100.7");
  CHECK_EQ(client("10.88.0.1", {"8.8.8.8", "198.51.100.7"}, kDefault), "198.51.100.7");
}

TEST("a user on a private network gets that address and cannot choose another") {
  CHECK_EQ(client("10.88.0.1", {"192.168.1.20"}, kDefault), "192.168.1.20");
  CHECK_EQ(client("10.88.0.1", {"8.8.8.8, 192.168.1.20"}, kDefault), "192.168.1.20");
}

TEST("without the header the peer is the client") {
  CHECK_EQ(client("10.88.0.1", {}, kDefault), "10.88.0.1");
  CHECK_EQ(client("10.88.0.1", {"", " , "}, kDefault), "10.88.0.1");
}

TEST("proxies that were listed are stepped over") {
  CHECK_EQ(client("10.0.0.2", {"198.51.100.7, 10.0.0.1"}, kListed), "198.51.100.7");
  CHECK_EQ(client("10.0.0.2", {"8.8.8.8, 198.51.100.7, 10.0.0.1"}, kListed), "198.51.100.7");
  CHECK_EQ(client("10.0.0.2", {"198.51.100.7", "10.0.0.1"}, kListed), "198.51.100.7");
}

TEST("a list of nothing but proxies ends at the farthest of them") {
  CHECK_EQ(client("10.0.0.2", {"10.0.0.1"}, kListed), "10.0.0.1");
}

TEST("an explicit list replaces the default ranges") {
  CHECK_EQ(client("127.0.0.1", {"8.8.8.8"}, kListed), "127.0.0.1");
  CHECK_EQ(client("127.0.0.1", {"8.8.8.8"}, *parse_trusted_proxies("")), "127.0.0.1");
}

TEST("an entry that is no address ends the walk at what is known") {
  CHECK_EQ(client("10.88.0.1", {"8.8.8.8, unknown"}, kDefault), "10.88.0.1");
  CHECK_EQ(client("10.0.0.2", {"8.8.8.8, _hidden, 10.0.0.1"}, kListed), "10.0.0.1");
}

TEST("ports and brackets around an entry are understood") {
  CHECK_EQ(client("10.88.0.1", {"198.51.100.7:4711"}, kDefault), "198.51.100.7");
  CHECK_EQ(client("10.88.0.1", {"[2001:db8::7]"}, kDefault), "2001:db8::7");
  CHECK_EQ(client("10.88.0.1", {"[2001:db8::7]:4711"}, kDefault), "2001:db8::7");
  CHECK_EQ(client("10.88.0.1", {"[2001:db8::7]x"}, kDefault), "10.88.0.1");
  CHECK_EQ(client("10.88.0.1", {"[2001:db8::7"}, kDefault), "10.88.0.1");
}

}  // namespace
}  // namespace ipify
