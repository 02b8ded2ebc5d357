#include "node/dns/zone.h"

#include "base/strings.h"
#include "node/network/netlink.h"
#include "node/services/ruleset.h"

namespace skiff::node {

namespace {

using json::Value;

constexpr int kMaxAliases = 8;  // of one name, one after the other; more are a circle

constexpr size_t kMaxRecords = 4096;  // of one answer: more fit into none
constexpr size_t kMaxLooked = 16384;  // slices, endpoints, addresses and ports that one answer looks at

// What an answer may still look at.
class Room {
 public:
  bool take() { return left_ > 0 && left_-- > 0; }

 private:
  size_t left_ = kMaxLooked;
};

// The endpoints of a slice that its Service tells of: visit(endpoint, address).
template <typename Visit>
void each_endpoint(const Value& service, const Value& slice, Room& room, const Visit& visit) {
  const bool not_ready_too = service["spec"]["publishNotReadyAddresses"].as_bool();
  for (const auto& endpoint : slice["endpoints"].items()) {
    if (!room.take()) return;
    if (!endpoint["conditions"]["ready"].as_bool(true) && !not_ready_too) continue;
    for (const auto& address : endpoint["addresses"].items()) {
      if (!room.take()) return;
      visit(endpoint, address.str());
    }
  }
}

// visit(slice) for those of `keys` that there are.
template <typename Visit>
void each_slice(const ClusterZone::Objects& objects, const ObjectIndex::Keys& keys, Room& room,
                const Visit& visit) {
  for (const auto& key : keys) {
    const auto found = objects.slices.find(key);
    if (!room.take()) return;
    if (found != objects.slices.end()) visit(found->second);
  }
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
struct PortName {
  std::string port, protocol;  // in small letters

  std::vector<uint16_t> numbers_in(const Value& ports, Room& room) const {
    std::vector<uint16_t> out;
    for (const auto& entry : ports.items()) {
      if (!room.take()) break;
      if (to_lower(entry["name"].str()) != port || to_lower(entry["protocol"].str_or("TCP")) != protocol)
        continue;
      out.push_back(static_cast<uint16_t>(entry["port"].as_int()));
    }
    return out;
  }
};

void add_ports(DnsAnswer& out, const ClusterZone::Objects& objects, const std::string& key,
               const PortName& asked, const std::string& name, const std::string& service_name) {
  const Value& service = objects.services.at(key);
  const auto add = [&](uint16_t number, const std::string& target) {
    if (out.records.size() < kMaxRecords)
      out.records.push_back({name, DnsType::kSrv, encode_srv(number, target)});
  };
  Room room;
  if (!headless(service)) {
    for (const uint16_t number : asked.numbers_in(service["spec"]["ports"], room)) add(number, service_name);
    return;
  }
  each_slice(objects, objects.index.slices_of(key), room, [&](const Value& slice) {
    const auto numbers = asked.numbers_in(slice["ports"], room);
    each_endpoint(service, slice, room, [&](const Value& endpoint, const std::string& address) {
      for (const uint16_t number : numbers) {
        if (!room.take()) return;
        add(number, host_of(endpoint, address) + "." + service_name);
      }
    });
  });
}

// The addresses of a headless Service: all, or those of one host of it. False when there are none.
bool add_endpoints(DnsAnswer& out, const ClusterZone::Objects& objects, const std::string& key,
                   const std::optional<std::string>& host, const std::string& name, uint16_t type) {
  const Value& service = objects.services.at(key);
  bool found = false;
  Room room;
  const auto& keys = host ? objects.index.slices_with_host(key, *host) : objects.index.slices_of(key);
  each_slice(objects, keys, room, [&](const Value& slice) {
    each_endpoint(service, slice, room, [&](const Value& endpoint, const std::string& address) {
      if (host && to_lower(host_of(endpoint, address)) != *host) return;
      found = true;
      if (wants(type, DnsType::kA) && out.records.size() < kMaxRecords) add_address(out, name, address);
    });
  });
  return found;
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
    const std::string prefix = labels[0] + "/";
    const auto first = objects.services.lower_bound(prefix);
    const bool exists = count == 1 || (first != objects.services.end() && first->first.starts_with(prefix));
    return exists ? out : not_found(objects, domain_);
  }
  const std::string key = labels[count - 2] + "/" + labels[count - 3];
  const auto found = objects.services.find(key);
  if (found == objects.services.end()) return not_found(objects, domain_);
  const Value& service = found->second;
  const std::string service_name = labels[count - 3] + "." + labels[count - 2] + ".svc." + domain_;
  if (count == 5 && labels[0].starts_with("_") && labels[1].starts_with("_")) {
    DnsAnswer ports{DnsCode::kOk, {}, domain_};
    add_ports(ports, objects, key, {labels[0].substr(1), labels[1].substr(1)}, name, service_name);
    if (ports.records.empty()) return not_found(objects, domain_);
    if (!wants(type, DnsType::kSrv)) ports.records.clear();
    return ports;
  }
  if (count == 4) {
    const bool named = headless(service) && add_endpoints(out, objects, key, labels[0], name, type);
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
    const bool any = add_endpoints(out, objects, key, std::nullopt, name, type);
    return any ? out : not_found(objects, domain_);
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
  const std::string target = name_of(objects, ip);
  if (target.empty() && !objects.complete) return not_found(objects, "");
  if (target.empty()) return std::nullopt;
  DnsAnswer out{DnsCode::kOk, {}, "in-addr.arpa"};
  if (wants(type, DnsType::kPtr)) out.records.push_back({name, DnsType::kPtr, encode_name(target)});
  return out;
}

// The Service with that cluster address, else the first endpoint of a headless one; "" when there is none.
std::string ClusterZone::name_of(const Objects& objects, const std::string& ip) const {
  const auto full_name = [this](const Value& service) {
    const auto& metadata = service["metadata"];
    return metadata["name"].str() + "." + metadata["namespace"].str() + ".svc." + domain_;
  };
  for (const auto& key : objects.index.services_at(ip)) {
    const auto found = objects.services.find(key);
    if (found != objects.services.end()) return full_name(found->second);
  }
  std::string target;
  Room room;
  each_slice(objects, objects.index.slices_at(ip), room, [&](const Value& slice) {
    const auto service = objects.services.find(service_of(slice));
    if (!target.empty() || service == objects.services.end() || !headless(service->second)) return;
    each_endpoint(service->second, slice, room, [&](const Value& endpoint, const std::string& address) {
      if (address == ip) target = host_of(endpoint, address) + "." + full_name(service->second);
    });
  });
  return target;
}

}  // namespace skiff::node
