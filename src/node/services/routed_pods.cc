#include "node/services/routed_pods.h"

#include <algorithm>
#include <utility>

namespace skiff::node {

namespace {

std::set<std::string> backends(const json::Value& ingress) {
  std::set<std::string> names;
  const json::Value& spec = ingress["spec"];
  names.insert(spec["defaultBackend"]["service"]["name"].str());
  for (const auto& rule : spec["rules"].items()) {
    for (const auto& path : rule["http"]["paths"].items())
      names.insert(path["backend"]["service"]["name"].str());
  }
  names.erase("");
  return names;
}

bool names_pod(const json::Value& slice, const json::Value& pod) {
  const json::Value& metadata = pod["metadata"];
  return std::ranges::any_of(slice["endpoints"].items(), [&](const json::Value& one) {
    const json::Value& target = one["targetRef"];
    if (target["kind"].str() == "Pod") return target["name"] == metadata["name"];
    const auto& ip = pod["status"]["podIP"];
    return ip.is_string() && std::ranges::any_of(one["addresses"].items(),
                                                 [&](const json::Value& address) { return address == ip; });
  });
}

}  // namespace

void RoutedPods::on_change(const ObjectChange& change) {
  const json::Value& metadata = change.object["metadata"];
  const std::string key = metadata["namespace"].str() + "/" + metadata["name"].str();
  ByIngress& target = replacing_ ? incoming_ : known_;
  switch (change.kind) {
    case ObjectChange::Kind::kReset:
      incoming_.clear();
      replacing_ = true;
      return;
    case ObjectChange::Kind::kUpsert:
      target[key] = backends(change.object);
      return;
    case ObjectChange::Kind::kRemoved:
      target.erase(key);
      return;
    case ObjectChange::Kind::kSynced:
      if (replacing_) known_ = std::exchange(incoming_, {});
      replacing_ = false;
      complete_ = true;
      return;
  }
}

bool RoutedPods::names_service(const std::string& name_space, const std::string& service) const {
  const std::string prefix = name_space + "/";
  for (auto it = known_.lower_bound(prefix); it != known_.end() && it->first.starts_with(prefix); ++it) {
    if (it->second.contains(service)) return true;
  }
  return false;
}

bool RoutedPods::contains(const json::Value& pod, const ServiceObjects& objects) const {
  if (!complete_) return true;
  const std::string& name_space = pod["metadata"]["namespace"].str();
  const std::string prefix = name_space + "/";
  for (auto it = objects.slices.lower_bound(prefix);
       it != objects.slices.end() && it->first.starts_with(prefix); ++it) {
    const json::Value& slice = it->second;
    const std::string& service = slice["metadata"]["labels"]["kubernetes.io/service-name"].str();
    if (names_service(name_space, service) && names_pod(slice, pod)) return true;
  }
  return false;
}

}  // namespace skiff::node
