#include "node/network/netlink.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>

#include <cerrno>
#include <optional>
#include <vector>

namespace skiff::node {

namespace {

constexpr size_t kMessageBytes = 2048;
// The one that every kernel has built in.
constexpr char kLinkCongestionControl[] = "reno";
using Buffer = std::vector<char>;

nlmsghdr* begin(Buffer& buffer, uint16_t type, uint16_t flags) {
  nlmsghdr* header = mnl_nlmsg_put_header(buffer.data());
  header->nlmsg_type = type;
  header->nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
  return header;
}

ifinfomsg* link_body(nlmsghdr* header, int index) {
  auto* body = static_cast<ifinfomsg*>(mnl_nlmsg_put_extra_header(header, sizeof(ifinfomsg)));
  body->ifi_family = AF_UNSPEC;
  body->ifi_index = index;
  return body;
}

// A route that replaces the one that is there.
nlmsghdr* route_message(Buffer& buffer, const Subnet& to, uint8_t scope, int index) {
  nlmsghdr* header = begin(buffer, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
  auto* body = static_cast<rtmsg*>(mnl_nlmsg_put_extra_header(header, sizeof(rtmsg)));
  body->rtm_family = AF_INET;
  body->rtm_dst_len = static_cast<uint8_t>(to.bits);
  body->rtm_table = RT_TABLE_MAIN;
  body->rtm_protocol = RTPROT_BOOT;
  body->rtm_scope = scope;
  body->rtm_type = RTN_UNICAST;
  if (to.bits > 0) mnl_attr_put_u32(header, RTA_DST, htonl(to.base));
  mnl_attr_put_u32(header, RTA_OIF, static_cast<uint32_t>(index));
  return header;
}

struct RouteList {
  int except_link;
  std::vector<Subnet> found;
};

int collect_route(const nlmsghdr* header, void* data) {
  auto& out = *static_cast<RouteList*>(data);
  const auto* route = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(header));
  if (route->rtm_family != AF_INET || route->rtm_dst_len == 0 || route->rtm_type != RTN_UNICAST)
    return MNL_CB_OK;
  std::optional<Subnet> destination;
  // The library's loop macro is C only.
  const auto* end = static_cast<const char*>(mnl_nlmsg_get_payload_tail(header));
  const auto* attribute = static_cast<const nlattr*>(mnl_nlmsg_get_payload_offset(header, sizeof(rtmsg)));
  for (; mnl_attr_ok(attribute, static_cast<int>(end - reinterpret_cast<const char*>(attribute)));
       attribute = mnl_attr_next(attribute)) {
    if (mnl_attr_get_type(attribute) == RTA_DST)
      destination = Subnet{ntohl(mnl_attr_get_u32(attribute)), route->rtm_dst_len};
    const bool excepted = mnl_attr_get_type(attribute) == RTA_OIF &&
                          static_cast<int>(mnl_attr_get_u32(attribute)) == out.except_link;
    if (excepted) return MNL_CB_OK;
  }
  if (destination) out.found.push_back(*destination);
  return MNL_CB_OK;
}

}  // namespace

Result<Netlink> Netlink::open() {
  mnl_socket* socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
  if (socket == nullptr) return fail_errno(errno, "open netlink");
  Netlink out(socket);
  if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) return fail_errno(errno, "bind netlink");
  return out;
}

Netlink::Netlink(Netlink&& other) noexcept : socket_(other.socket_), sequence_(other.sequence_) {
  other.socket_ = nullptr;
}

Netlink::~Netlink() {
  if (socket_ != nullptr) mnl_socket_close(socket_);
}

Result<void> Netlink::request(void* message, const std::string& what) {
  auto* header = static_cast<nlmsghdr*>(message);
  header->nlmsg_seq = ++sequence_;
  if (mnl_socket_sendto(socket_, header, header->nlmsg_len) < 0) return fail_errno(errno, what);
  Buffer reply(static_cast<size_t>(MNL_SOCKET_BUFFER_SIZE));
  const ssize_t got = mnl_socket_recvfrom(socket_, reply.data(), reply.size());
  if (got < 0) return fail_errno(errno, what);
  const int result = mnl_cb_run(reply.data(), static_cast<size_t>(got), sequence_,
                                mnl_socket_get_portid(socket_), nullptr, nullptr);
  if (result < 0) return fail_errno(errno, what);
  return {};
}

Result<int> Netlink::link_index(const std::string& name) {
  // The ioctl behind this acts in the thread's namespace, as this socket does when used where it was opened.
  const unsigned index = ::if_nametoindex(name.c_str());
  if (index == 0) return fail(Code::kNotFound, "no network interface " + name);
  return static_cast<int>(index);
}

Result<void> Netlink::add_bridge(const std::string& name, const Mac& mac) {
  Buffer buffer(kMessageBytes);
  nlmsghdr* header = begin(buffer, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  link_body(header, 0);
  mnl_attr_put_strz(header, IFLA_IFNAME, name.c_str());
  // One of its own: else it would be the lowest of its ports', and change while pods know it.
  mnl_attr_put(header, IFLA_ADDRESS, mac.size(), mac.data());
  nlattr* info = mnl_attr_nest_start(header, IFLA_LINKINFO);
  mnl_attr_put_strz(header, IFLA_INFO_KIND, "bridge");
  mnl_attr_nest_end(header, info);
  auto made = request(header, "make bridge " + name);
  if (!made && made.error().code == Code::kAlreadyExists) return {};
  return made;
}

Result<void> Netlink::add_veth(const std::string& name, int bridge_index, const std::string& peer,
                               int peer_namespace, const Mac& peer_mac) {
  Buffer buffer(kMessageBytes);
  nlmsghdr* header = begin(buffer, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  link_body(header, 0);
  mnl_attr_put_strz(header, IFLA_IFNAME, name.c_str());
  mnl_attr_put_u32(header, IFLA_MASTER, static_cast<uint32_t>(bridge_index));
  nlattr* info = mnl_attr_nest_start(header, IFLA_LINKINFO);
  mnl_attr_put_strz(header, IFLA_INFO_KIND, "veth");
  nlattr* data = mnl_attr_nest_start(header, IFLA_INFO_DATA);
  nlattr* other = mnl_attr_nest_start(header, VETH_INFO_PEER);
  mnl_nlmsg_put_extra_header(header, sizeof(ifinfomsg));
  mnl_attr_put_strz(header, IFLA_IFNAME, peer.c_str());
  mnl_attr_put(header, IFLA_ADDRESS, peer_mac.size(), peer_mac.data());
  mnl_attr_put_u32(header, IFLA_NET_NS_FD, static_cast<uint32_t>(peer_namespace));
  mnl_attr_nest_end(header, other);
  mnl_attr_nest_end(header, data);
  mnl_attr_nest_end(header, info);
  return request(header, "make the pod's network interface " + name);
}

Result<void> Netlink::set_mac(int index, const Mac& mac) {
  Buffer buffer(kMessageBytes);
  nlmsghdr* header = begin(buffer, RTM_NEWLINK, 0);
  link_body(header, index);
  mnl_attr_put(header, IFLA_ADDRESS, mac.size(), mac.data());
  return request(header, "give an interface its link-layer address");
}

Result<void> Netlink::set_up(int index) {
  Buffer buffer(kMessageBytes);
  nlmsghdr* header = begin(buffer, RTM_NEWLINK, 0);
  ifinfomsg* body = link_body(header, index);
  body->ifi_flags = IFF_UP;
  body->ifi_change = IFF_UP;
  return request(header, "bring up an interface");
}

Result<void> Netlink::add_address(int index, Ipv4 address, int bits) {
  Buffer buffer(kMessageBytes);
  nlmsghdr* header = begin(buffer, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
  auto* body = static_cast<ifaddrmsg*>(mnl_nlmsg_put_extra_header(header, sizeof(ifaddrmsg)));
  body->ifa_family = AF_INET;
  body->ifa_prefixlen = static_cast<uint8_t>(bits);
  body->ifa_index = static_cast<uint32_t>(index);
  mnl_attr_put_u32(header, IFA_LOCAL, htonl(address));
  mnl_attr_put_u32(header, IFA_ADDRESS, htonl(address));
  auto added = request(header, "give an interface the address " + format_ipv4(address));
  if (!added && added.error().code == Code::kAlreadyExists) return {};
  return added;
}

Result<void> Netlink::add_link_route(const Subnet& to, Ipv4 source, int index) {
  Buffer buffer(kMessageBytes);
  nlmsghdr* header = route_message(buffer, to, RT_SCOPE_LINK, index);
  if (source != 0) mnl_attr_put_u32(header, RTA_PREFSRC, htonl(source));
  nlattr* metrics = mnl_attr_nest_start(header, RTA_METRICS);
  mnl_attr_put_strz(header, RTAX_CC_ALGO, kLinkCongestionControl);
  mnl_attr_nest_end(header, metrics);
  return request(header, "add the route " + to.to_string());
}

Result<void> Netlink::add_gateway(Ipv4 gateway, int index) {
  SKIFF_RETURN_IF_ERROR(add_link_route({gateway, 32}, 0, index));
  Buffer buffer(kMessageBytes);
  nlmsghdr* header = route_message(buffer, {0, 0}, RT_SCOPE_UNIVERSE, index);
  mnl_attr_put_u32(header, RTA_GATEWAY, htonl(gateway));
  return request(header, "add the default route");
}

Result<void> Netlink::delete_link(const std::string& name) {
  Buffer buffer(kMessageBytes);
  nlmsghdr* header = begin(buffer, RTM_DELLINK, 0);
  link_body(header, 0);
  mnl_attr_put_strz(header, IFLA_IFNAME, name.c_str());
  auto deleted = request(header, "delete interface " + name);
  if (!deleted && !link_index(name)) return {};
  return deleted;
}

Result<std::vector<Subnet>> Netlink::routes(int except_link) {
  Buffer buffer(kMessageBytes);
  nlmsghdr* header = mnl_nlmsg_put_header(buffer.data());
  header->nlmsg_type = RTM_GETROUTE;
  header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  header->nlmsg_seq = ++sequence_;
  static_cast<rtmsg*>(mnl_nlmsg_put_extra_header(header, sizeof(rtmsg)))->rtm_family = AF_INET;
  if (mnl_socket_sendto(socket_, header, header->nlmsg_len) < 0) return fail_errno(errno, "list routes");
  RouteList out{except_link, {}};
  Buffer reply(static_cast<size_t>(MNL_SOCKET_BUFFER_SIZE));
  for (;;) {
    const ssize_t got = mnl_socket_recvfrom(socket_, reply.data(), reply.size());
    if (got < 0) return fail_errno(errno, "list routes");
    const int more = mnl_cb_run(reply.data(), static_cast<size_t>(got), sequence_,
                                mnl_socket_get_portid(socket_), collect_route, &out);
    if (more < 0) return fail_errno(errno, "list routes");
    if (more == MNL_CB_STOP) return out.found;
  }
}

}  // namespace skiff::node
