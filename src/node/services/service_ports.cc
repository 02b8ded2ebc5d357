#include <algorithm>

#include "base/strings.h"
#include "node/services/ruleset.h"

namespace skiff::node {

namespace {

using json::Value;

constexpr int64_t kDefaultAffinity = 10800;

bool belongs(const Value& slice, const Value& service) {
  return slice["metadata"]["namespace"].str() == service["metadata"]["namespace"].str() &&
         slice["metadata"]["labels"]["kubernetes.io/service-name"].str() ==
             service["metadata"]["name"].str() &&
         slice["addressType"].str_or("IPv4") == "IPv4";
}

// Ready ones; when there are none, those that end but still serve.
std::vector<Backend> backends_of(const Value& service, const Value& port, const std::vector<Value>& slices) {
  std::vector<Backend> ready, serving;
  const std::string protocol = port["protocol"].str_or("TCP");
  for (const auto& slice : slices) {
    if (!belongs(slice, service)) continue;
    for (const auto& slice_port : slice["ports"].items()) {
      if (slice_port["name"].str() != port["name"].str() || slice_port["protocol"].str_or("TCP") != protocol)
        continue;
      const auto number = static_cast<uint16_t>(slice_port["port"].as_int());
      for (const auto& endpoint : slice["endpoints"].items()) {
        const Value& conditions = endpoint["conditions"];
        for (const auto& address : endpoint["addresses"].items()) {
          if (!parse_ipv4(address.str())) continue;
          if (conditions["ready"].as_bool(true)) {
            ready.push_back({address.str(), number});
          } else if (conditions["serving"].as_bool() && conditions["terminating"].as_bool()) {
            serving.push_back({address.str(), number});
          }
        }
      }
    }
  }
  auto& chosen = ready.empty() ? serving : ready;
  std::sort(chosen.begin(), chosen.end());
  chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
  return chosen;
}

}  // namespace

std::vector<ServicePort> make_service_ports(const std::vector<Value>& services,
                                            const std::vector<Value>& slices) {
  std::vector<ServicePort> out;
  for (const auto& service : services) {
    const Value& spec = service["spec"];
    const std::string& ip = spec["clusterIP"].str();
    if (spec["type"].str() == "ExternalName" || !parse_ipv4(ip)) continue;
    for (const auto& port : spec["ports"].items()) {
      ServicePort entry;
      entry.ip = ip;
      entry.protocol = to_lower(port["protocol"].str_or("TCP"));
      entry.port = static_cast<uint16_t>(port["port"].as_int());
      entry.node_port = static_cast<uint16_t>(port["nodePort"].as_int());
      if (entry.protocol != "tcp" && entry.protocol != "udp" && entry.protocol != "sctp") continue;
      if (spec["sessionAffinity"].str() == "ClientIP") {
        entry.affinity_seconds =
            spec["sessionAffinityConfig"]["clientIP"]["timeoutSeconds"].as_int(kDefaultAffinity);
      }
      entry.backends = backends_of(service, port, slices);
      out.push_back(std::move(entry));
    }
  }
  std::sort(out.begin(), out.end(), [](const ServicePort& a, const ServicePort& b) {
    return std::tie(a.ip, a.protocol, a.port) < std::tie(b.ip, b.protocol, b.port);
  });
  return out;
}

}  // namespace skiff::node
