#include "node/services/object_index.h"

#include "base/strings.h"

namespace skiff::node {

using json::Value;

std::string service_of(const Value& slice) {
  const Value& metadata = slice["metadata"];
  return metadata["namespace"].str() + "/" + metadata["labels"]["kubernetes.io/service-name"].str();
}

std::string host_of(const Value& endpoint, const std::string& address) {
  return endpoint["hostname"].str_or(replace_all(address, ".", "-"));
}

const ObjectIndex::Keys& ObjectIndex::of(const Map& map, const std::string& name) {
  static const Keys kNone;
  const auto found = map.find(name);
  return found == map.end() ? kNone : found->second;
}

void ObjectIndex::step(Step step, Map& map, const std::string& name, const std::string& key) {
  if (step == Step::kAdd) {
    map[name].insert(key);
    return;
  }
  const auto found = map.find(name);
  if (found == map.end()) return;
  found->second.erase(key);
  if (found->second.empty()) map.erase(found);
}

void ObjectIndex::step_service(Step to, const std::string& key, const Value& service) {
  const std::string& ip = service["spec"]["clusterIP"].str();
  if (!ip.empty() && ip != "None") step(to, services_at_, ip, key);
}

void ObjectIndex::step_slice(Step to, const std::string& key, const Value& slice) {
  if (slice.is_null()) return;
  const std::string service = service_of(slice);
  step(to, slices_of_, service, key);
  for (const auto& endpoint : slice["endpoints"].items()) {
    for (const auto& address : endpoint["addresses"].items()) {
      step(to, slices_at_, address.str(), key);
      step(to, slices_with_host_, service + "/" + to_lower(host_of(endpoint, address.str())), key);
    }
  }
}

void ObjectIndex::change_service(const std::string& key, const Value& before, const Value& after) {
  step_service(Step::kRemove, key, before);
  step_service(Step::kAdd, key, after);
}

void ObjectIndex::change_slice(const std::string& key, const Value& before, const Value& after) {
  step_slice(Step::kRemove, key, before);
  step_slice(Step::kAdd, key, after);
}

void ObjectIndex::reset_services(const Objects& services) {
  services_at_.clear();
  for (const auto& [key, service] : services) step_service(Step::kAdd, key, service);
}

void ObjectIndex::reset_slices(const Objects& slices) {
  slices_at_.clear();
  slices_of_.clear();
  slices_with_host_.clear();
  for (const auto& [key, slice] : slices) step_slice(Step::kAdd, key, slice);
}

}  // namespace skiff::node
