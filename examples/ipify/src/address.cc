#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace ipify {
namespace {

constexpr std::size_t kIpv4Offset = 12;
constexpr unsigned kIpv4Bits = 96;
constexpr std::array<std::uint8_t, kIpv4Offset> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::size_t kGroups = 8;

Address::Bytes mapped(const void* ipv4) {
  Address::Bytes bytes;
  std::ranges::copy(kMapped, bytes.begin());
  std::memcpy(bytes.data() + kIpv4Offset, ipv4, 4);
  return bytes;
}

char* write_ipv4(const std::uint8_t* octets, char* to, char* end) {
  for (int i = 0; i < 4; ++i) {
    if (i > 0) *to++ = '.';
    to = std::to_chars(to, end, unsigned{octets[i]}).ptr;
  }
  return to;
}

struct Run {
  std::size_t start = kGroups;
  std::size_t length = 0;
};

// The zero groups that "::" stands for: the first longest run of two or more (RFC 5952, section 4.2).
Run longest_zero_run(const std::array<unsigned, kGroups>& groups) {
  Run best;
  for (std::size_t i = 0; i < kGroups;) {
    std::size_t end = i;
    while (end < kGroups && groups[end] == 0) ++end;
    if (end - i >= 2 && end - i > best.length) best = {i, end - i};
    i = std::max(end, i + 1);
  }
  return best;
}

char* write_ipv6(const Address::Bytes& bytes, char* to, char* end) {
  std::array<unsigned, kGroups> groups;
  for (std::size_t i = 0; i < kGroups; ++i) groups[i] = unsigned{bytes[2 * i]} << 8 | bytes[2 * i + 1];
  const Run zeros = longest_zero_run(groups);
  for (std::size_t i = 0; i < kGroups; ++i) {
    if (i == zeros.start) {
      *to++ = ':';
      *to++ = ':';
      i += zeros.length - 1;
      continue;
    }
    if (i > 0 && i != zeros.start + zeros.length) *to++ = ':';
    to = std::to_chars(to, end, groups[i], 16).ptr;
  }
  return to;
}

}  // namespace

std::optional<Address> Address::parse(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> z;
  if (text.empty() || text.size() >= z.size() || text.find('\0') != text.npos) return std::nullopt;
  text.copy(z.data(), text.size());
  z[text.size()] = '\0';
  in_addr ipv4;
  if (inet_pton(AF_INET, z.data(), &ipv4) == 1) return Address(mapped(&ipv4));
  Bytes bytes;
  if (inet_pton(AF_INET6, z.data(), bytes.data()) == 1) return Address(bytes);
  return std::nullopt;
}

Address Address::from_socket(const sockaddr_storage& peer) {
  if (peer.ss_family == AF_INET) {
    sockaddr_in ipv4;
    std::memcpy(&ipv4, &peer, sizeof ipv4);
    return Address(mapped(&ipv4.sin_addr));
  }
  if (peer.ss_family != AF_INET6) return Address();
  sockaddr_in6 ipv6;
  std::memcpy(&ipv6, &peer, sizeof ipv6);
  Bytes bytes;
  std::memcpy(bytes.data(), &ipv6.sin6_addr, bytes.size());
  return Address(bytes);
}

bool Address::is_ipv4() const {
  return std::equal(kMapped.begin(), kMapped.end(), bytes_.begin());
}

AddressText Address::text() const {
  AddressText text;
  char* const begin = text.chars_.data();
  char* const end = begin + text.chars_.size();
  char* const written =
      is_ipv4() ? write_ipv4(bytes_.data() + kIpv4Offset, begin, end) : write_ipv6(bytes_, begin, end);
  text.size_ = static_cast<std::uint8_t>(written - begin);
  return text;
}

std::optional<Prefix> Prefix::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto base = Address::parse(text.substr(0, slash));
  if (!base) return std::nullopt;
  const bool dotted = text.substr(0, slash).find(':') == text.npos;
  const unsigned widest = dotted ? 32 : 128;
  unsigned bits = widest;
  if (slash != text.npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size()) return std::nullopt;
    if (bits > widest) return std::nullopt;
  }
  return Prefix(*base, dotted ? bits + kIpv4Bits : bits);
}

bool Prefix::contains(const Address& address) const {
  const std::size_t whole = bits_ / 8;
  const auto& a = address.bytes();
  const auto& b = base_.bytes();
  if (!std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(whole), b.begin())) return false;
  if (bits_ % 8 == 0) return true;
  const unsigned shift = 8 - bits_ % 8;
  return a[whole] >> shift == b[whole] >> shift;
}

}  // namespace ipify
