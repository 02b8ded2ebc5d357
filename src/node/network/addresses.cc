#include "node/network/addresses.h"

#include <arpa/inet.h>

#include <algorithm>

#include "base/strings.h"

namespace skiff::node {

std::string format_ipv4(Ipv4 address) {
  char text[INET_ADDRSTRLEN];
  const in_addr raw{htonl(address)};
  return ::inet_ntop(AF_INET, &raw, text, sizeof text);
}

Result<Ipv4> parse_ipv4(const std::string& text) {
  in_addr raw{};
  if (::inet_pton(AF_INET, text.c_str(), &raw) != 1)
    return fail(Code::kInvalidArgument, "no IPv4 address: " + text);
  return ntohl(raw.s_addr);
}

std::string Subnet::to_string() const {
  return format_ipv4(base) + "/" + std::to_string(bits);
}

Result<Subnet> parse_subnet(const std::string& text) {
  const auto halves = split_once(text, "/");
  auto base = parse_ipv4(std::string(halves.before));
  const auto bits = parse_uint(halves.after);
  if (!base || !bits || *bits > 32) return fail(Code::kInvalidArgument, "no IPv4 subnet: " + text);
  Subnet subnet{*base, static_cast<int>(*bits)};
  subnet.base &= subnet.mask();
  return subnet;
}

Result<Ipv4> AddressPool::take() {
  const Ipv4 last = subnet_.base | ~subnet_.mask();  // the broadcast address
  const Ipv4 first = subnet_.base + 2;
  for (Ipv4 tried = first; tried < last; ++tried) {
    const Ipv4 address = next_;
    next_ = next_ + 1 >= last ? first : next_ + 1;
    if (taken_.insert(address).second) return address;
  }
  return fail(Code::kResourceExhausted, "no pod address is free in " + subnet_.to_string());
}

bool AddressPool::reserve(Ipv4 address) {
  if (!subnet_.contains(address) || !taken_.insert(address).second) return false;
  if (address >= next_ && address + 1 < (subnet_.base | ~subnet_.mask())) next_ = address + 1;
  return true;
}

bool are_free(const ClusterRanges& ranges, const std::vector<Subnet>& others) {
  return std::ranges::none_of(others, [&](const Subnet& other) {
    return other.bits > 0 && (other.overlaps(ranges.pods) || other.overlaps(ranges.services));
  });
}

Result<ClusterRanges> pick_ranges(const std::vector<Subnet>& taken) {
  constexpr int kFirst = 42, kLast = 254;
  for (int second = kFirst; second < kLast; second += 2) {
    const ClusterRanges ranges{{static_cast<Ipv4>((10 << 24) | (second << 16)), 16},
                               {static_cast<Ipv4>((10 << 24) | ((second + 1) << 16)), 16}};
    if (are_free(ranges, taken)) return ranges;
  }
  return fail(
      Code::kResourceExhausted,
      "every pair of ranges from 10.42.0.0/16 to 10.253.0.0/16 overlaps a route of this machine or belongs "
      "to another instance: remove an instance, or a route, that is not needed");
}

}  // namespace skiff::node
