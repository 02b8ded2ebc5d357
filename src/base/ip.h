// IP addresses and networks as settings and messages name them. IPv4 is kept as ::ffff:a.b.c.d, so that both
// spellings of an address are one.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace skiff {

struct IpAddress {
  std::array<uint8_t, 16> bytes{};

  bool is_v4() const;
  // ::1, and all of 127.0.0.0/8.
  bool is_loopback() const;
  // fe80::/10 and 169.254.0.0/16, where clouds serve their metadata.
  bool is_link_local() const;
  // "10.1.2.3" for IPv4, else RFC 5952.
  std::string text() const;
  bool operator==(const IpAddress&) const = default;
  auto operator<=>(const IpAddress&) const = default;
};
// Without brackets, zone or port; nothing for anything else.
std::optional<IpAddress> parse_ip(std::string_view text);
// Of a socket of IPv4 or IPv6; nothing for another family.
std::optional<IpAddress> address_of(const sockaddr& socket);

struct IpNetwork {
  IpAddress base;
  int bits = 128;  // of the 16 bytes

  bool contains(const IpAddress& address) const;
  // The `number`th address, counted from the base.
  IpAddress at(uint32_t number) const;
  IpAddress last() const;
};
// "10.0.0.0/8", "fd00::/8", or an address alone. InvalidArgument names what is wrong.
Result<IpNetwork> parse_network(std::string_view text);
// Several, with commas between them; "" is none.
Result<std::vector<IpNetwork>> parse_networks(std::string_view text);
bool any_contains(const std::vector<IpNetwork>& networks, const IpAddress& address);

}  // namespace skiff
