#include "kube/discovery/discovery.h"
#include "kube/discovery/resources.h"

namespace skiff::kube {

namespace {

json::Value response_kind(std::string_view group, std::string_view version, std::string_view kind) {
  return json::Value::object({{"group", group}, {"version", version}, {"kind", kind}});
}

// Upstream leaves group and version of a built-in kind empty where they are those of the resource.
json::Value subresource_body(const Kind& kind, const Subresource& sub) {
  bool own = sub.group.empty() && kind.custom;
  return json::Value::object({{"subresource", sub.name},
                              {"responseKind", response_kind(own ? kind.group : sub.group,
                                                             own ? kind.version : sub.version, sub.kind)},
                              {"verbs", string_list(sub.verbs)}});
}

json::Value resource_body(const Kind& kind) {
  json::Value result =
      json::Value::object({{"resource", kind.plural},
                           {"responseKind", response_kind(kind.custom ? kind.group : "",
                                                          kind.custom ? kind.version : "", kind.kind)},
                           {"scope", kind.namespaced ? "Namespaced" : "Cluster"},
                           {"singularResource", kind.singular},
                           {"verbs", string_list(verbs_of(kind))}});
  if (!kind.short_names.empty()) result.set("shortNames", string_list(kind.short_names));
  if (!kind.categories.empty()) result.set("categories", string_list(kind.categories));
  json::Value subs = json::Value::array();
  for (const auto& sub : subresources_of(kind)) subs.push_back(subresource_body(kind, sub));
  if (!subs.empty()) result.set("subresources", std::move(subs));
  return result;
}

json::Value group_body(const Group& group) {
  json::Value versions = json::Value::array();
  for (const auto& one : group.versions) {
    json::Value resources = json::Value::array();
    for (const auto& kind : one.kinds) resources.push_back(resource_body(*kind));
    versions.push_back(json::Value::object(
        {{"version", one.version}, {"resources", std::move(resources)}, {"freshness", "Current"}}));
  }
  json::Value metadata = json::Value::object();
  if (!group.name.empty()) metadata.set("name", group.name);
  metadata.set("creationTimestamp", nullptr);
  return json::Value::object({{"metadata", std::move(metadata)}, {"versions", std::move(versions)}});
}

}  // namespace

json::Value aggregated_discovery(const Registry& registry, bool core, std::string_view version) {
  json::Value items = json::Value::array();
  for (const auto& group : core ? std::vector{core_group(registry)} : groups_of(registry)) {
    items.push_back(group_body(group));
  }
  return json::Value::object({{"kind", "APIGroupDiscoveryList"},
                              {"apiVersion", "apidiscovery.k8s.io/" + std::string(version)},
                              {"metadata", json::Value::object()},
                              {"items", std::move(items)}});
}

}  // namespace skiff::kube
