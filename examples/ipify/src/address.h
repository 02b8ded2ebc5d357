// IP addresses and prefixes as values.
//
// An Address is 16 bytes; IPv4 is held in its IPv4-mapped form (::ffff:a.b.c.d), so a dual-stack socket's
// view of an IPv4 client and the IPv4 client itself are the same value and the same text. Values only; any
// thread.
//
//   auto a = Address::parse("2001:DB8::1");   a->text().view() == "2001:db8::1"
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

struct sockaddr_storage;

namespace ipify {

// The canonical text of an address, held inside the object.
class AddressText {
 public:
  // Eight groups of four digits and seven colons.
  static constexpr std::size_t kMaxChars = 39;

  std::string_view view() const { return {chars_.data(), size_}; }

 private:
  friend class Address;
  std::array<char, kMaxChars> chars_;
  std::uint8_t size_ = 0;
};

class Address {
 public:
  static constexpr std::size_t kBytes = 16;
  using Bytes = std::array<std::uint8_t, kBytes>;

  // The unspecified address, "::".
  Address() = default;
  explicit Address(const Bytes& bytes) : bytes_(bytes) {}

  // Dotted IPv4 or any spelling of IPv6 without a zone. Nothing if it is neither.
  static std::optional<Address> parse(std::string_view text);
  // The address of an AF_INET or AF_INET6 peer; "::" for any other family.
  static Address from_socket(const sockaddr_storage& peer);

  bool is_ipv4() const;
  const Bytes& bytes() const { return bytes_; }
  // Dotted for IPv4; RFC 5952 for IPv6.
  AddressText text() const;

  bool operator==(const Address&) const = default;

 private:
  Bytes bytes_{};
};

// A block of addresses such as 10.0.0.0/8; a single address is a block of one.
class Prefix {
 public:
  // "10.0.0.0/8", "fc00::/7" or a bare address. Bits past the length are ignored. Nothing if malformed.
  static std::optional<Prefix> parse(std::string_view text);

  bool contains(const Address& address) const;

 private:
  Prefix(const Address& base, unsigned bits) : base_(base), bits_(bits) {}

  Address base_;
  unsigned bits_;  // of 128: an IPv4 length plus 96
};

}  // namespace ipify
