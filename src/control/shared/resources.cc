#include "control/shared/resources.h"

#include <algorithm>

#include "control/shared/objects.h"

namespace skiff::control {

namespace {

constexpr const char* kDefinitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

// "apps" of "apps/v1", "" of "v1".
std::string_view group_of(std::string_view api_version) {
  const auto slash = api_version.find('/');
  return slash == std::string_view::npos ? std::string_view() : api_version.substr(0, slash);
}

}  // namespace

std::string ResourceInfo::group() const {
  return std::string(group_of(api_version()));
}

std::vector<ResourceInfo> builtin_resources() {
  return {{"/api/v1", "namespaces", "Namespace", false},
          {"/api/v1", "nodes", "Node", false},
          {"/api/v1", "pods", "Pod"},
          {"/api/v1", "services", "Service"},
          {"/api/v1", "endpoints", "Endpoints"},
          {"/api/v1", "configmaps", "ConfigMap"},
          {"/api/v1", "secrets", "Secret"},
          {"/api/v1", "serviceaccounts", "ServiceAccount"},
          {"/apis/apps/v1", "deployments", "Deployment"},
          {"/apis/apps/v1", "replicasets", "ReplicaSet"},
          {"/apis/discovery.k8s.io/v1", "endpointslices", "EndpointSlice"},
          {"/apis/networking.k8s.io/v1", "ingresses", "Ingress"},
          {"/apis/coordination.k8s.io/v1", "leases", "Lease"},
          {"/apis/rbac.authorization.k8s.io/v1", "roles", "Role"},
          {"/apis/rbac.authorization.k8s.io/v1", "rolebindings", "RoleBinding"}};
}

std::optional<ResourceInfo> resource_of_definition(const Value& definition) {
  if (definition.is_null() || find_condition(definition, "Established")["status"].str() != "True")
    return std::nullopt;
  const auto& spec = definition["spec"];
  for (const auto& version : spec["versions"].items()) {
    if (!version["storage"].as_bool() || !version["served"].as_bool()) continue;
    return ResourceInfo{"/apis/" + spec["group"].str() + "/" + version["name"].str(),
                        spec["names"]["plural"].str(), spec["names"]["kind"].str(),
                        spec["scope"].str() == "Namespaced"};
  }
  return std::nullopt;
}

Catalog::Catalog(Caches& caches) : all_(builtin_resources()) {
  caches.at(kDefinitions).on_change([this](const Value& before, const Value& after) {
    on_definition(before, after);
  });
}

const ResourceInfo* Catalog::find(const Value& reference) const {
  const auto& kind = reference["kind"].str();
  const auto group = group_of(reference["apiVersion"].str());
  const auto found = std::ranges::find_if(
      all_, [&](const ResourceInfo& resource) { return resource.kind == kind && resource.group() == group; });
  return found == all_.end() ? nullptr : &*found;
}

void Catalog::on_definition(const Value& before, const Value& after) {
  const auto was = resource_of_definition(before);
  const auto is = resource_of_definition(after);
  if (was == is) return;
  if (was) {
    std::erase(all_, *was);
    for (const auto& listener : removed_) listener(*was);
  }
  if (!is) return;
  all_.push_back(*is);
  for (const auto& listener : added_) listener(*is);
}

}  // namespace skiff::control
