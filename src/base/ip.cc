#include "base/ip.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"

namespace skiff {

namespace {

constexpr std::array<uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr size_t kV4At = 12;  // bytes before an IPv4 address
constexpr int kV4Bits = 96, kAllBits = 128;
constexpr size_t kMaxText = 45;  // INET6_ADDRSTRLEN without its end

// The address with all bits from `bits` on set to those of `fill`.
IpAddress filled(IpAddress address, int bits, uint8_t fill) {
  for (size_t i = 0; i < address.bytes.size(); ++i) {
    const int kept = std::clamp(bits - static_cast<int>(i) * 8, 0, 8);
    const auto mask = static_cast<uint8_t>(0xff00 >> kept);
    address.bytes[i] = static_cast<uint8_t>((address.bytes[i] & mask) | (fill & ~mask));
  }
  return address;
}

}  // namespace

bool IpAddress::is_v4() const {
  return std::equal(kMapped.begin(), kMapped.end(), bytes.begin());
}

bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes[kV4At] == 127;
  IpAddress one;
  one.bytes.back() = 1;
  return *this == one;
}

bool IpAddress::is_link_local() const {
  if (is_v4()) return bytes[kV4At] == 169 && bytes[kV4At + 1] == 254;
  return bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
}

std::string IpAddress::text() const {
  char buffer[INET6_ADDRSTRLEN] = {};
  if (is_v4()) {
    ::inet_ntop(AF_INET, bytes.data() + kV4At, buffer, sizeof buffer);
  } else {
    ::inet_ntop(AF_INET6, bytes.data(), buffer, sizeof buffer);
  }
  return buffer;
}

std::optional<IpAddress> address_of(const sockaddr& socket) {
  IpAddress out;
  if (socket.sa_family == AF_INET6) {
    const auto& six = reinterpret_cast<const sockaddr_in6&>(socket).sin6_addr;
    std::copy_n(six.s6_addr, out.bytes.size(), out.bytes.begin());
    return out;
  }
  if (socket.sa_family != AF_INET) return std::nullopt;
  const auto& four = reinterpret_cast<const sockaddr_in&>(socket).sin_addr;
  std::ranges::copy(kMapped, out.bytes.begin());
  std::copy_n(reinterpret_cast<const uint8_t*>(&four), sizeof four, out.bytes.begin() + kV4At);
  return out;
}

std::optional<IpAddress> parse_ip(std::string_view text) {
  if (text.empty() || text.size() > kMaxText || text.find('\0') != std::string_view::npos)
    return std::nullopt;
  const std::string ended(text);
  IpAddress out;
  if (::inet_pton(AF_INET6, ended.c_str(), out.bytes.data()) == 1) return out;
  std::copy(kMapped.begin(), kMapped.end(), out.bytes.begin());
  if (::inet_pton(AF_INET, ended.c_str(), out.bytes.data() + kV4At) == 1) return out;
  return std::nullopt;
}

bool IpNetwork::contains(const IpAddress& address) const {
  return filled(address, bits, 0) == filled(base, bits, 0);
}

IpAddress IpNetwork::at(uint32_t number) const {
  IpAddress out = base;
  uint64_t carry = number;
  for (size_t i = out.bytes.size(); i-- > 0 && carry > 0;) {
    carry += out.bytes[i];
    out.bytes[i] = static_cast<uint8_t>(carry);
    carry >>= 8;
  }
  return out;
}

IpAddress IpNetwork::last() const {
  return filled(base, bits, 0xff);
}

Result<IpNetwork> parse_network(std::string_view text) {
  const auto halves = split_once(text, "/");
  const auto address = parse_ip(halves.before);
  const auto wrong = [&] {
    return fail(
        Code::kInvalidArgument,
        fmt::format("\"{}\" is no network: give an IP address, or one with the number of its bits such "
                    "as 10.0.0.0/8",
                    text));
  };
  if (!address) return wrong();
  const int before = address->is_v4() ? kV4Bits : 0;
  if (text.find('/') == std::string_view::npos) return IpNetwork{*address, kAllBits};
  const auto bits = parse_int(halves.after);
  if (!bits || *bits < 0 || *bits > kAllBits - before) return wrong();
  const IpNetwork network{*address, before + static_cast<int>(*bits)};
  if (filled(*address, network.bits, 0) != *address) {
    return fail(Code::kInvalidArgument,
                fmt::format("\"{}\" is no network: it has bits set after the first {}; {}/{} is one", text,
                            *bits, filled(*address, network.bits, 0).text(), *bits));
  }
  return network;
}

Result<std::vector<IpNetwork>> parse_networks(std::string_view text) {
  std::vector<IpNetwork> out;
  if (trim(text).empty()) return out;
  for (const auto& piece : split(text, ',')) {
    auto network = parse_network(trim(piece));
    if (!network) return std::unexpected(network.error());
    out.push_back(*network);
  }
  return out;
}

bool any_contains(const std::vector<IpNetwork>& networks, const IpAddress& address) {
  return std::ranges::any_of(networks, [&](const IpNetwork& one) { return one.contains(address); });
}

}  // namespace skiff
