#include <algorithm>
#include <set>
#include <unordered_map>

#include "base/strings.h"
#include "node/services/ruleset.h"

namespace skiff::node {

namespace {

using json::Value;

constexpr int64_t kDefaultAffinity = 10800;

// Ports times backends of one Service: each is a rule's element. Of more, each port leads to the first ones.
constexpr size_t kMaxTargets = 16384;

using Slices = std::vector<const Value*>;

// By "namespace/name" of their Service.
std::unordered_map<std::string, Slices> by_service(const std::vector<Value>& slices) {
  std::unordered_map<std::string, Slices> out;
  for (const auto& slice : slices) {
    if (slice["addressType"].str_or("IPv4") != "IPv4") continue;
    const auto& metadata = slice["metadata"];
    out[metadata["namespace"].str() + "/" + metadata["labels"]["kubernetes.io/service-name"].str()].push_back(
        &slice);
  }
  return out;
}

// A slice's own addresses, each once.
struct Addresses {
  std::set<std::string> ready, serving;

  explicit Addresses(const Value& slice) {
    for (const auto& endpoint : slice["endpoints"].items()) {
      const Value& conditions = endpoint["conditions"];
      const bool is_ready = conditions["ready"].as_bool(true);
      const bool serves = conditions["serving"].as_bool() && conditions["terminating"].as_bool();
      if (!is_ready && !serves) continue;
      for (const auto& address : endpoint["addresses"].items()) {
        if (parse_ipv4(address.str())) (is_ready ? ready : serving).insert(address.str());
      }
    }
  }
};

// Where the ports of a Service lead.
class Targets {
 public:
  Targets(const Value& service, const Slices& slices) {
    for (const auto& port : service["spec"]["ports"].items()) ports_.try_emplace(key_of(port));
    most_ = std::max<size_t>(1, kMaxTargets / std::max<size_t>(1, ports_.size()));
    for (const auto* slice : slices) add(*slice);
  }
  // Ready ones; when there are none, those that end but still serve. Sorted.
  std::vector<Backend> of(const Value& port) const {
    const Port& found = ports_.at(key_of(port));
    const auto& chosen = found.ready.empty() ? found.serving : found.ready;
    return {chosen.begin(), chosen.end()};
  }

 private:
  struct Port {
    std::set<Backend> ready, serving;
  };

  static std::string key_of(const Value& port) {
    return port["name"].str() + " " + port["protocol"].str_or("TCP");
  }
  void add(const Value& slice) {
    const Addresses addresses(slice);
    std::set<std::pair<std::string, uint16_t>> seen;
    for (const auto& port : slice["ports"].items()) {
      const auto number = static_cast<uint16_t>(port["port"].as_int());
      const std::string key = key_of(port);
      const auto wanted = ports_.find(key);
      if (wanted == ports_.end() || !seen.emplace(key, number).second) continue;
      fill(wanted->second.ready, addresses.ready, number);
      fill(wanted->second.serving, addresses.serving, number);
    }
  }
  void fill(std::set<Backend>& backends, const std::set<std::string>& addresses, uint16_t port) const {
    for (const auto& address : addresses) {
      if (backends.size() >= most_) return;
      backends.insert({address, port});
    }
  }

  std::unordered_map<std::string, Port> ports_;
  size_t most_ = 1;
};

}  // namespace

std::vector<ServicePort> make_service_ports(const std::vector<Value>& services,
                                            const std::vector<Value>& slices) {
  std::vector<ServicePort> out;
  const auto slices_of = by_service(slices);
  for (const auto& service : services) {
    const Value& spec = service["spec"];
    const std::string& ip = spec["clusterIP"].str();
    if (spec["type"].str() == "ExternalName" || !parse_ipv4(ip)) continue;
    const auto& metadata = service["metadata"];
    const auto own = slices_of.find(metadata["namespace"].str() + "/" + metadata["name"].str());
    const Targets targets(service, own == slices_of.end() ? Slices{} : own->second);
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
      entry.backends = targets.of(port);
      out.push_back(std::move(entry));
    }
  }
  std::sort(out.begin(), out.end(), [](const ServicePort& a, const ServicePort& b) {
    return std::tie(a.ip, a.protocol, a.port) < std::tie(b.ip, b.protocol, b.port);
  });
  return out;
}

}  // namespace skiff::node
