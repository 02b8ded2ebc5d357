#include "node/network/port_filter.h"

#include <fmt/core.h>

#include "base/strings.h"
#include "node/network/pod_network.h"

namespace skiff::node {

namespace {

std::string element(const PodPort& port) {
  return fmt::format("\"{}\" . {} . {}", port.veth, format_mac(mac_of(port.address)),
                     format_ipv4(port.address));
}

}  // namespace

std::string port_filter_table(const std::string& instance) {
  return "skiff-" + instance;
}

Mac mac_of(Ipv4 address) {
  // Locally administered, unicast.
  return {0x0A,
          0x58,
          static_cast<uint8_t>(address >> 24),
          static_cast<uint8_t>(address >> 16),
          static_cast<uint8_t>(address >> 8),
          static_cast<uint8_t>(address)};
}

std::string format_mac(const Mac& mac) {
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", mac[0], mac[1], mac[2], mac[3], mac[4],
                     mac[5]);
}

std::string make_port_filter(const std::string& instance, const std::vector<PodPort>& ports) {
  std::vector<std::string> elements;
  for (const auto& port : ports) elements.push_back(element(port));
  std::string out = remove_port_filter(instance) + "table bridge " + port_filter_table(instance) + " {\n";
  out += "  set pods {\n    type ifname . ether_addr . ipv4_addr\n";
  if (!elements.empty()) out += "    elements = { " + join(elements, ", ") + " }\n";
  out += "  }\n  chain from-pod {\n";
  out += "    ether type arp iifname . arp saddr ether . arp saddr ip != @pods drop\n";
  out += "    ether type arp iifname . ether saddr . arp saddr ip @pods accept\n";
  out += "    ether type ip iifname . ether saddr . ip saddr @pods accept\n    drop\n  }\n";
  // Before the bridge learns where an address is.
  out += "  chain arriving {\n    type filter hook prerouting priority -300\n";
  return out + "    iifname \"" + veth_prefix(instance) + "*\" jump from-pod\n  }\n}\n";
}

std::string allow_port(const std::string& instance, const PodPort& port) {
  return "add element bridge " + port_filter_table(instance) + " pods { " + element(port) + " }\n";
}

std::string forget_port(const std::string& instance, const PodPort& port) {
  // Adding it first makes the deletion succeed when it is not there.
  return allow_port(instance, port) + "delete element bridge " + port_filter_table(instance) + " pods { " +
         element(port) + " }\n";
}

std::string remove_port_filter(const std::string& instance) {
  const std::string table = "table bridge " + port_filter_table(instance) + "\n";
  return table + "delete " + table;
}

}  // namespace skiff::node
