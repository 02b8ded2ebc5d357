#include "node/network/addresses.h"

#include <arpa/inet.h>

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

Result<ClusterRanges> pick_ranges(const std::vector<Subnet>& host_routes) {
  constexpr int kFirst = 42, kLast = 254;
  for (int second = kFirst; second < kLast; second += 2) {
    const ClusterRanges ranges{{static_cast<Ipv4>((10 << 24) | (second << 16)), 16},
                               {static_cast<Ipv4>((10 << 24) | ((second + 1) << 16)), 16}};
    bool free = true;
    for (const auto& route : host_routes) {
      if (route.bits > 0 && (route.overlaps(ranges.pods) || route.overlaps(ranges.services))) free = false;
    }
    if (free) return ranges;
  }
  return fail(Code::kResourceExhausted,
              "every range 10.x.0.0/16 overlaps a route of this host: give the pod and "
              "service ranges explicitly");
}

}  // namespace skiff::node
