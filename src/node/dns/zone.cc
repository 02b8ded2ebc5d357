#include "node/dns/zone.h"

#include <algorithm>

#include "base/strings.h"
#include "node/network/netlink.h"
#include "node/services/ruleset.h"

namespace skiff::node {

namespace {

using json::Value;

constexpr int kMaxAliases = 8;  // of one name, one after the other; more are a circle

struct Endpoint {
  std::string ip, hostname;
  Value ports;
};

std::vector<Endpoint> endpoints_of(const std::map<std::string, Value>& slices, const Value& service) {
  std::vector<Endpoint> out;
  const bool not_ready_too = service["spec"]["publishNotReadyAddresses"].as_bool();
  for (const auto& [key, slice] : slices) {
    if (slice["metadata"]["namespace"].str() != service["metadata"]["namespace"].str()) continue;
    if (slice["metadata"]["labels"]["kubernetes.io/service-name"].str() != service["metadata"]["name"].str())
      continue;
    for (const auto& endpoint : slice["endpoints"].items()) {
      if (!endpoint["conditions"]["ready"].as_bool(true) && !not_ready_too) continue;
      for (const auto& address : endpoint["addresses"].items()) {
        // Endpoints without a name get one from their address.
        const std::string host = endpoint["hostname"].str_or(replace_all(address.str(), ".", "-"));
        out.push_back({address.str(), host, slice["ports"]});
      }
    }
  }
  return out;
}

bool wants(uint16_t asked, DnsType type) {
  return asked == static_cast<uint16_t>(type) || asked == static_cast<uint16_t>(DnsType::kAny);
}

void add_address(DnsAnswer& out, const std::string& name, const std::string& ip) {
  if (const auto address = parse_ipv4(ip))
    out.records.push_back({name, DnsType::kA, encode_address(*address)});
}

bool headless(const Value& service) {
  return service["spec"]["clusterIP"].str() == "None";
}

// "_http._tcp": one record a matching port, or an endpoint of a headless service.
void add_ports(DnsAnswer& out, const Value& service, const std::vector<Endpoint>& endpoints,
               const std::string& name, const std::string& port, const std::string& protocol,
               const std::string& service_name) {
  for (const auto& entry : service["spec"]["ports"].items()) {
    if (to_lower(entry["name"].str()) != port || to_lower(entry["protocol"].str_or("TCP")) != protocol)
      continue;
    if (!headless(service)) {
      const auto number = static_cast<uint16_t>(entry["port"].as_int());
      out.records.push_back({name, DnsType::kSrv, encode_srv(number, service_name)});
    }
  }
  if (!headless(service)) return;
  for (const auto& endpoint : endpoints) {
    for (const auto& entry : endpoint.ports.items()) {
      if (to_lower(entry["name"].str()) != port || to_lower(entry["protocol"].str_or("TCP")) != protocol)
        continue;
      const auto number = static_cast<uint16_t>(entry["port"].as_int());
      out.records.push_back(
          {name, DnsType::kSrv, encode_srv(number, endpoint.hostname + "." + service_name)});
    }
  }
}

DnsAnswer no_name(const std::string& zone) {
  return {DnsCode::kNoName, {}, zone};
}

// Not among the cluster's objects.
DnsAnswer not_found(const ClusterZone::Objects& objects, const std::string& zone) {
  return objects.complete ? no_name(zone) : DnsAnswer{DnsCode::kFailure, {}, ""};
}

}  // namespace

// Clients take an alias only together with what it leads to.
std::optional<DnsAnswer> ClusterZone::answer(const Objects& objects, const std::string& name,
                                             uint16_t type) const {
  auto out = look_up(objects, name, type);
  for (int i = 0; i < kMaxAliases && out && !out->alias.empty(); ++i) {
    const auto next = look_up(objects, out->alias, type);
    if (!next) return out;
    out->code = next->code;
    out->records.insert(out->records.end(), next->records.begin(), next->records.end());
    out->alias = next->alias;
  }
  if (out && !out->alias.empty()) return DnsAnswer{DnsCode::kFailure, {}, domain_};
  return out;
}

std::optional<DnsAnswer> ClusterZone::look_up(const Objects& objects, const std::string& name,
                                              uint16_t type) const {
  const std::string lower = to_lower(name);
  if (lower.ends_with(".in-addr.arpa")) return answer_reverse(objects, lower, type);
  if (lower != domain_ && !lower.ends_with("." + domain_)) return std::nullopt;
  DnsAnswer out{DnsCode::kOk, {}, domain_};
  if (lower == domain_) return out;
  const auto labels = split(lower.substr(0, lower.size() - domain_.size() - 1), '.');
  if (labels.size() == 1 && labels[0] == "dns-version") {
    if (wants(type, DnsType::kTxt)) out.records.push_back({name, DnsType::kTxt, encode_text("1.1.0")});
    return out;
  }
  if (labels.back() == "svc") return answer_service(objects, labels, name, type);
  if (labels.back() == "pod") return answer_pod(labels, name, type);
  return no_name(domain_);
}

// labels: [host or _port _proto,] service, namespace, "svc".
DnsAnswer ClusterZone::answer_service(const Objects& objects, const std::vector<std::string>& labels,
                                      const std::string& name, uint16_t type) const {
  const size_t count = labels.size();
  DnsAnswer out{DnsCode::kOk, {}, domain_};
  if (count < 3) {
    // "svc" and "<namespace>.svc" hold names but have no records.
    const bool exists =
        count == 1 || std::any_of(objects.services.begin(), objects.services.end(),
                                  [&](const auto& s) { return s.first.starts_with(labels[0] + "/"); });
    return exists ? out : not_found(objects, domain_);
  }
  const auto found = objects.services.find(labels[count - 2] + "/" + labels[count - 3]);
  if (found == objects.services.end()) return not_found(objects, domain_);
  const Value& service = found->second;
  const auto endpoints = endpoints_of(objects.slices, service);
  const std::string service_name = labels[count - 3] + "." + labels[count - 2] + ".svc." + domain_;
  if (count == 5 && labels[0].starts_with("_") && labels[1].starts_with("_")) {
    DnsAnswer ports{DnsCode::kOk, {}, domain_};
    add_ports(ports, service, endpoints, name, labels[0].substr(1), labels[1].substr(1), service_name);
    if (ports.records.empty()) return not_found(objects, domain_);
    if (!wants(type, DnsType::kSrv)) ports.records.clear();
    return ports;
  }
  if (count == 4) {
    bool named = false;
    for (const auto& endpoint : endpoints) {
      if (!headless(service) || to_lower(endpoint.hostname) != labels[0]) continue;
      named = true;
      if (wants(type, DnsType::kA)) add_address(out, name, endpoint.ip);
    }
    return named ? out : not_found(objects, domain_);
  }
  if (count != 3) return no_name(domain_);
  if (service["spec"]["type"].str() == "ExternalName") {
    std::string target = service["spec"]["externalName"].str();
    if (target.ends_with('.')) target.pop_back();
    out.records.push_back({name, DnsType::kCname, encode_name(target)});
    if (type == static_cast<uint16_t>(DnsType::kA) || type == static_cast<uint16_t>(DnsType::kAaaa))
      out.alias = std::move(target);
    return out;
  }
  if (headless(service)) {
    if (endpoints.empty()) return not_found(objects, domain_);
    for (const auto& endpoint : endpoints) {
      if (wants(type, DnsType::kA)) add_address(out, name, endpoint.ip);
    }
    return out;
  }
  if (wants(type, DnsType::kA)) add_address(out, name, service["spec"]["clusterIP"].str());
  return out;
}

// labels: "a-b-c-d", namespace, "pod".
DnsAnswer ClusterZone::answer_pod(const std::vector<std::string>& labels, const std::string& name,
                                  uint16_t type) const {
  DnsAnswer out{DnsCode::kOk, {}, domain_};
  if (labels.size() < 3) return out;
  const std::string ip = replace_all(labels[0], "-", ".");
  if (labels.size() != 3 || !parse_ipv4(ip)) return no_name(domain_);
  if (wants(type, DnsType::kA)) add_address(out, name, ip);
  return out;
}

std::optional<DnsAnswer> ClusterZone::answer_reverse(const Objects& objects, const std::string& name,
                                                     uint16_t type) const {
  auto labels = split(name, '.');
  if (labels.size() != 6) return std::nullopt;
  const std::string ip = labels[3] + "." + labels[2] + "." + labels[1] + "." + labels[0];
  for (const auto& [key, service] : objects.services) {
    const auto& metadata = service["metadata"];
    const std::string full = metadata["name"].str() + "." + metadata["namespace"].str() + ".svc." + domain_;
    std::string target;
    if (service["spec"]["clusterIP"].str() == ip) target = full;
    if (headless(service)) {
      for (const auto& endpoint : endpoints_of(objects.slices, service)) {
        if (endpoint.ip == ip) target = endpoint.hostname + "." + full;
      }
    }
    if (target.empty()) continue;
    DnsAnswer out{DnsCode::kOk, {}, "in-addr.arpa"};
    if (wants(type, DnsType::kPtr)) out.records.push_back({name, DnsType::kPtr, encode_name(target)});
    return out;
  }
  if (!objects.complete) return not_found(objects, "");
  return std::nullopt;
}

}  // namespace skiff::node
