// Which of the cluster's Services and EndpointSlices have to do with a name or an address: kept by their
// changes, so that a question costs what it finds and not what there is. Keys are "namespace/name". Of the
// loop's thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_map>

#include "base/json.h"

namespace skiff::node {

class ObjectIndex {
 public:
  using Objects = std::map<std::string, json::Value>;
  using Keys = std::set<std::string>;

  ObjectIndex() = default;
  ObjectIndex(const Objects& services, const Objects& slices) {
    reset_services(services);
    reset_slices(slices);
  }

  // `before` and `after` are null where there is no such object.
  void change_service(const std::string& key, const json::Value& before, const json::Value& after);
  void change_slice(const std::string& key, const json::Value& before, const json::Value& after);
  // These are all there are.
  void reset_services(const Objects& services);
  void reset_slices(const Objects& slices);

  // Services with that cluster address.
  const Keys& services_at(const std::string& ip) const { return of(services_at_, ip); }
  // Slices with that address, ready or not.
  const Keys& slices_at(const std::string& ip) const { return of(slices_at_, ip); }
  const Keys& slices_of(const std::string& service) const { return of(slices_of_, service); }
  // Slices of a Service that have an endpoint of that name, in small letters.
  const Keys& slices_with_host(const std::string& service, const std::string& host) const {
    return of(slices_with_host_, service + "/" + host);
  }

 private:
  using Map = std::unordered_map<std::string, Keys>;
  enum class Step { kAdd, kRemove };
  static const Keys& of(const Map& map, const std::string& name);
  static void step(Step step, Map& map, const std::string& name, const std::string& key);
  void step_service(Step step, const std::string& key, const json::Value& service);
  void step_slice(Step step, const std::string& key, const json::Value& slice);

  Map services_at_, slices_at_, slices_of_, slices_with_host_;
};

// "namespace/name" of the Service that a slice belongs to.
std::string service_of(const json::Value& slice);
// The name of an endpoint below that of its Service: its own, or one made of its address.
std::string host_of(const json::Value& endpoint, const std::string& address);

}  // namespace skiff::node
