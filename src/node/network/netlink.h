// The few rtnetlink requests that pod networking needs. Blocking, each well below a millisecond; the socket
// belongs to the network namespace in which it was opened.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

struct mnl_socket;

namespace skiff::node {

// An IPv4 address in host byte order.
using Ipv4 = uint32_t;
// A link-layer address.
using Mac = std::array<uint8_t, 6>;
std::string format_ipv4(Ipv4 address);
Result<Ipv4> parse_ipv4(const std::string& text);

// "10.42.0.0/16".
struct Subnet {
  Ipv4 base = 0;
  int bits = 24;
  Ipv4 mask() const { return bits == 0 ? 0 : ~Ipv4{0} << (32 - bits); }
  bool contains(Ipv4 address) const { return (address & mask()) == base; }
  bool overlaps(const Subnet& other) const { return contains(other.base) || other.contains(base); }
  std::string to_string() const;
  auto operator<=>(const Subnet&) const = default;
};
Result<Subnet> parse_subnet(const std::string& text);

class Netlink {
 public:
  static Result<Netlink> open();
  Netlink(Netlink&& other) noexcept;
  ~Netlink();

  // The index of an interface; NotFound.
  Result<int> link_index(const std::string& name);
  // Fine when it exists.
  Result<void> add_bridge(const std::string& name, const Mac& mac);
  // `name` here, joined to `bridge` and down; `peer` in the other namespace, with the link-layer address.
  Result<void> add_veth(const std::string& name, int bridge_index, const std::string& peer,
                        int peer_namespace, const Mac& peer_mac);
  Result<void> set_mac(int index, const Mac& mac);
  Result<void> set_up(int index);
  // Fine when it is there.
  Result<void> add_address(int index, Ipv4 address, int bits);
  // The route to addresses on the interface's own link, from `source` (0: as the kernel chooses); it replaces
  // the one that is there. TCP over it is not paced for a network beyond the machine, whichever congestion
  // control the machine has for the world: BBR costs the link between edge and pods half their throughput.
  Result<void> add_link_route(const Subnet& to, Ipv4 source, int index);
  // Routes everything through the gateway, which need not be in a subnet of ours.
  Result<void> add_gateway(Ipv4 gateway, int index);
  // Fine when it is not there.
  Result<void> delete_link(const std::string& name);
  // Destinations of all IPv4 routes but the default one and those through the interface `except_link`.
  Result<std::vector<Subnet>> routes(int except_link = 0);

 private:
  explicit Netlink(mnl_socket* socket) : socket_(socket) {}
  Result<void> request(void* message, const std::string& what);
  mnl_socket* socket_;
  uint32_t sequence_ = 0;
};

}  // namespace skiff::node
