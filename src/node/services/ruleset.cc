#include "node/services/ruleset.h"

#include <set>

#include "base/strings.h"

namespace skiff::node {

namespace {

constexpr Ipv4 kDnsHost = 10;  // the cluster DNS is the tenth address of the service range

std::string chain_of(const ServicePort& port) {
  return "svc-" + replace_all(port.ip, ".", "-") + "-" + port.protocol + "-" + std::to_string(port.port);
}

// "10.43.0.9 . tcp . 80".
std::string key_of(const ServicePort& port) {
  return port.ip + " . " + port.protocol + " . " + std::to_string(port.port);
}

// With affinity a hash of the client's address chooses: the same client, the same pod, while the pods stay.
std::string service_chain(const ServicePort& port) {
  std::string out = "  chain " + chain_of(port) + " {\n";
  const std::string count = std::to_string(port.backends.size());
  const std::string choice =
      port.affinity_seconds > 0 ? "jhash ip saddr mod " + count : "numgen random mod " + count;
  out += "    meta l4proto " + port.protocol + " dnat ip to " + choice + " map { ";
  for (size_t i = 0; i < port.backends.size(); ++i) {
    const auto& backend = port.backends[i];
    out +=
        (i > 0 ? ", " : "") + std::to_string(i) + " : " + backend.ip + " . " + std::to_string(backend.port);
  }
  return out + " }\n  }\n";
}

std::string elements(const std::vector<std::string>& items) {
  return items.empty() ? "" : "    elements = { " + join(items, ", ") + " }\n";
}

// Each backend with itself: nft can't compare two fields of a packet.
std::vector<std::string> self_pairs(const std::vector<ServicePort>& ports) {
  std::set<std::string> out;
  for (const auto& port : ports) {
    for (const auto& backend : port.backends) out.insert(backend.ip + " . " + backend.ip);
  }
  return {out.begin(), out.end()};
}

std::string quoted_list(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "\"" : ", \"") + name + "\"";
  return "{ " + out + " }";
}

// What pods send to addresses of the machine.
std::string received_chain(const RulesetInput& input) {
  std::string out = "  chain received {\n    type filter hook input priority 0\n";
  if (input.egress == PodEgress::kOpen) return out + "  }\n";
  out += "    iifname != \"skiff-" + input.instance + "\" accept\n";
  out += "    ct state established,related accept\n";
  // What a Service leads to was allowed by who made it: the API server first of all.
  out += "    ct status dnat accept\n    meta l4proto icmp accept\n";
  out += "    ip daddr " + format_ipv4(input.ranges.services.base + kDnsHost) + " th dport 53 accept\n";
  std::vector<std::string> ports;
  for (const uint16_t port : input.open_ports) ports.push_back(std::to_string(port));
  if (!ports.empty()) out += "    tcp dport { " + join(ports, ", ") + " } accept\n";
  return out + "    jump refuse\n  }\n";
}

// What the machine passes on: from pods, to them what Services and node ports lead to, nothing for its
// neighbours.
std::string forwarded_rules(const RulesetInput& input) {
  const std::string bridge = "\"skiff-" + input.instance + "\"";
  std::string out;
  if (input.egress == PodEgress::kRestricted) {
    out += "    iifname " + bridge + " ip daddr 169.254.0.0/16 jump refuse\n";
  }
  out += "    iifname " + bridge + " ip saddr != " + input.ranges.pods.to_string() + " drop\n";
  out += "    iifname != " + bridge + " oifname " + bridge +
         " ct state new ct status dnat ct original ip daddr != " + input.ranges.services.to_string() +
         " accept\n";
  out += "    iifname != " + bridge + " oifname " + bridge + " ct state new drop\n";
  if (input.forwarding.ours) out += "    iifname != \"skiff-*\" oifname != \"skiff-*\" jump neighbours\n";
  return out;
}

// Between interfaces that are no instance's, on a machine that did not forward before: nothing, be they those
// it had or a tunnel or a card that came later. A bridge that came later has guests of another manager, who
// wants the machine to forward.
std::string neighbours_chain(const RulesetInput& input) {
  if (!input.forwarding.ours) return "";
  std::string out = "  chain neighbours {\n";
  for (const std::string end : {"iif", "oif"}) {
    out += "    ";
    if (!input.forwarding.before.empty())
      out += end + "name != " + quoted_list(input.forwarding.before) + " ";
    out += "meta " + end + "kind \"bridge\" return\n";
  }
  return out + "    drop\n  }\n";
}

}  // namespace

std::string table_name(const std::string& instance) {
  return "skiff-" + instance;
}

std::string make_ruleset(const RulesetInput& input, TableStart start) {
  std::vector<std::string> services, node_ports;
  std::string chains;
  for (const auto& port : input.ports) {
    if (port.backends.empty()) continue;
    chains += service_chain(port);
    services.push_back(key_of(port) + " : goto " + chain_of(port));
    if (port.node_port != 0) {
      node_ports.push_back(port.protocol + " . " + std::to_string(port.node_port) + " : goto " +
                           chain_of(port));
    }
  }
  const std::string name = table_name(input.instance);
  const std::string pods = input.ranges.pods.to_string(), service_range = input.ranges.services.to_string();
  const std::string key = "ip daddr . meta l4proto . th dport";
  const std::string dispatch = "    ip daddr " + service_range + " " + key + " vmap @services\n" +
                               "    fib daddr type local meta l4proto . th dport vmap @node-ports\n";
  // What leads nowhere stays here: a machine beyond this one would answer in a Service's name. Who asks
  // before the Services are known asks again.
  const std::string refuse = "    ip daddr " + service_range + " fib daddr type != local " +
                             (start == TableStart::kNew ? "drop\n" : "jump refuse\n");
  // Adding before deleting makes the deletion succeed the first time, too.
  std::string out = start == TableStart::kNew ? "create table ip " + name + "\n"
                                              : "table ip " + name + "\ndelete table ip " + name + "\n";
  out += "table ip " + name + " {\n";
  out += "  set self {\n    type ipv4_addr . ipv4_addr\n" + elements(self_pairs(input.ports)) + "  }\n";
  out += chains;
  out += "  map services {\n    type ipv4_addr . inet_proto . inet_service : verdict\n" + elements(services) +
         "  }\n";
  out +=
      "  map node-ports {\n    type inet_proto . inet_service : verdict\n" + elements(node_ports) + "  }\n";
  out += "  chain refuse {\n    meta l4proto tcp reject with tcp reset\n    reject\n  }\n";
  out += "  chain arriving {\n    type nat hook prerouting priority -100\n" + dispatch + "  }\n";
  out += "  chain local {\n    type nat hook output priority -100\n" + dispatch + "  }\n";
  out += "  chain leaving {\n    type nat hook postrouting priority 100\n";
  out += "    ip saddr " + pods + " ip daddr != " + pods + " oifname != \"skiff-" + input.instance +
         "\" masquerade\n";
  // A pod that reaches itself through a Service must not see its own address as the client's.
  out += "    ct status dnat ip saddr . ip daddr @self masquerade\n  }\n";
  out += neighbours_chain(input);
  out += "  chain forwarded {\n    type filter hook forward priority 0\n" + refuse + forwarded_rules(input) +
         "  }\n";
  out += received_chain(input);
  out += "  chain sent {\n    type filter hook output priority 0\n" + refuse + "  }\n";
  return out + "}\n";
}

}  // namespace skiff::node
