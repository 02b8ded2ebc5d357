#include "node/network/pod_network.h"

#include "io/file.h"
#include "io/setting.h"
#include "node/digest.h"
#include "node/network/port_filter.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace skiff::node {

namespace {
constexpr Ipv4 kDnsHost = 10;  // the cluster DNS is the tenth address of the service range

// In the calling thread's network.
bool has_mac(const char* interface, const Mac& mac) {
  io::UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  struct ifreq request{};
  std::strncpy(request.ifr_name, interface, sizeof request.ifr_name - 1);
  if (!socket || ::ioctl(socket.get(), SIOCGIFHWADDR, &request) != 0) return false;
  return std::memcmp(request.ifr_hwaddr.sa_data, mac.data(), mac.size()) == 0;
}

// Pods have no IPv6 yet: no host interface of theirs may take any, be it an address or a router's word.
Result<void> disable_ipv6(const std::string& interface) {
  const std::string folder = "/proc/sys/net/ipv6/conf/" + interface;
  if (!io::path_exists(folder)) return {};  // the host has none
  return io::write_setting(folder + "/disable_ipv6", "1");
}
}  // namespace

std::string veth_prefix(const std::string& instance) {
  return "sk" + instance;
}

std::string bridge_name(const std::string& instance) {
  return "skiff-" + instance;
}

std::string veth_name(const std::string& instance, const std::string& pod_uid) {
  constexpr size_t kMaxName = 15;  // IFNAMSIZ less its end
  return (veth_prefix(instance) + sha256_hex(pod_uid)).substr(0, kMaxName);
}

Result<void> make_bridge(const PodNetworkOptions& options) {
  auto netlink = Netlink::open();
  if (!netlink) return std::unexpected(netlink.error());
  const std::string name = bridge_name(options.instance);
  const Ipv4 gateway = options.ranges.pods.base + 1;
  SKIFF_RETURN_IF_ERROR(netlink->add_bridge(name, mac_of(gateway)));
  SKIFF_RETURN_IF_ERROR(disable_ipv6(name));
  auto index = netlink->link_index(name);
  if (!index) return std::unexpected(index.error());
  SKIFF_RETURN_IF_ERROR(netlink->add_address(*index, gateway, options.ranges.pods.bits));
  SKIFF_RETURN_IF_ERROR(netlink->add_address(*index, options.ranges.services.base + kDnsHost, 32));
  SKIFF_RETURN_IF_ERROR(netlink->set_up(*index));
  SKIFF_RETURN_IF_ERROR(netlink->add_link_route(options.ranges.pods, gateway, *index));
  return io::write_setting("/proc/sys/net/ipv4/conf/" + name + "/send_redirects", "0");
}

Result<void> connect_pod(Netlink& host, int bridge_index, const std::string& veth, int net_namespace,
                         Ipv4 address, const Subnet& subnet) {
  SKIFF_RETURN_IF_ERROR(host.add_veth(veth, bridge_index, "eth0", net_namespace, mac_of(address)));
  auto inside = Netlink::open();
  if (!inside) return std::unexpected(inside.error());
  constexpr int kLoopbackIndex = 1;  // the first interface of every namespace
  SKIFF_RETURN_IF_ERROR(inside->set_up(kLoopbackIndex));
  auto index = inside->link_index("eth0");
  if (!index) return std::unexpected(index.error());
  SKIFF_RETURN_IF_ERROR(inside->add_address(*index, address, 32));
  SKIFF_RETURN_IF_ERROR(inside->set_up(*index));
  // The settings are those of the calling thread's network, which is the pod's. Neighbours are not to be
  // asked directly.
  SKIFF_RETURN_IF_ERROR(io::write_setting("/proc/sys/net/ipv4/conf/all/accept_redirects", "0"));
  SKIFF_RETURN_IF_ERROR(io::write_setting("/proc/sys/net/ipv4/conf/eth0/accept_redirects", "0"));
  return inside->add_gateway(subnet.base + 1, *index);
}

Result<void> set_pod_mac(Ipv4 address) {
  auto inside = Netlink::open();
  if (!inside) return std::unexpected(inside.error());
  auto index = inside->link_index("eth0");
  if (!index) return std::unexpected(index.error());
  const Mac wanted = mac_of(address);
  if (has_mac("eth0", wanted)) return {};
  // The host knows the former one: the kernel of the pod tells it the new one.
  SKIFF_RETURN_IF_ERROR(io::write_setting("/proc/sys/net/ipv4/conf/eth0/arp_notify", "1"));
  return inside->set_mac(*index, wanted);
}

Result<void> bring_up_port(const std::string& veth) {
  SKIFF_RETURN_IF_ERROR(disable_ipv6(veth));
  auto netlink = Netlink::open();
  if (!netlink) return std::unexpected(netlink.error());
  auto index = netlink->link_index(veth);
  if (!index) return std::unexpected(index.error());
  return netlink->set_up(*index);
}

Result<void> allow_hairpin(const std::string& veth) {
  return io::write_setting("/sys/class/net/" + veth + "/brport/hairpin_mode", "1");
}

Result<void> disconnect_pod(const std::string& veth) {
  auto netlink = Netlink::open();
  if (!netlink) return std::unexpected(netlink.error());
  return netlink->delete_link(veth);
}

Result<void> remove_bridge(const std::string& instance) {
  auto names = io::list_directory("/sys/class/net");
  if (!names) return std::unexpected(names.error());
  auto netlink = Netlink::open();
  if (!netlink) return std::unexpected(netlink.error());
  for (const auto& name : *names) {
    const bool ours = name == bridge_name(instance) || name.starts_with(veth_prefix(instance));
    if (ours) SKIFF_RETURN_IF_ERROR(netlink->delete_link(name));
  }
  return {};
}

bool has_bridge(const std::string& instance) {
  auto netlink = Netlink::open();
  return netlink && netlink->link_index(bridge_name(instance));
}

Result<std::vector<Subnet>> host_routes(const std::string& instance) {
  auto netlink = Netlink::open();
  if (!netlink) return std::unexpected(netlink.error());
  return netlink->routes(netlink->link_index(bridge_name(instance)).value_or(0));
}

}  // namespace skiff::node
