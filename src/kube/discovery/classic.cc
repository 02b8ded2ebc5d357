#include "kube/discovery/discovery.h"
#include "kube/discovery/resources.h"

namespace skiff::kube {

namespace {

json::Value group_body(const Group& group) {
  json::Value versions = json::Value::array();
  for (const auto& one : group.versions) {
    versions.push_back(json::Value::object(
        {{"groupVersion", group_version_text(group.name, one.version)}, {"version", one.version}}));
  }
  json::Value result = json::Value::object({{"name", group.name}, {"versions", versions}});
  result.set("preferredVersion", versions.at(0));
  return result;
}

json::Value resource_body(const Kind& kind) {
  json::Value result = json::Value::object({{"name", kind.plural},
                                            {"singularName", kind.singular},
                                            {"namespaced", kind.namespaced},
                                            {"kind", kind.kind},
                                            {"verbs", string_list(verbs_of(kind))}});
  if (!kind.short_names.empty()) result.set("shortNames", string_list(kind.short_names));
  if (!kind.categories.empty()) result.set("categories", string_list(kind.categories));
  if (!kind.storage_version_hash.empty()) result.set("storageVersionHash", kind.storage_version_hash);
  return result;
}

json::Value subresource_body(const Kind& kind, const Subresource& sub) {
  json::Value result = json::Value::object(
      {{"name", kind.plural + "/" + sub.name}, {"singularName", ""}, {"namespaced", kind.namespaced}});
  if (!sub.group.empty()) result.set("group", sub.group);
  if (!sub.version.empty()) result.set("version", sub.version);
  result.set("kind", sub.kind);
  result.set("verbs", string_list(sub.verbs));
  return result;
}

}  // namespace

json::Value api_versions() {
  return json::Value::object({{"kind", "APIVersions"},
                              {"versions", json::Value::array({"v1"})},
                              {"serverAddressByClientCIDRs", json::Value::array()}});
}

json::Value api_group_list(const Registry& registry) {
  json::Value groups = json::Value::array();
  for (const auto& group : groups_of(registry)) groups.push_back(group_body(group));
  return json::Value::object({{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", std::move(groups)}});
}

std::optional<json::Value> api_group(const Registry& registry, std::string_view name) {
  for (const auto& group : groups_of(registry)) {
    if (group.name != name) continue;
    json::Value result = json::Value::object({{"kind", "APIGroup"}, {"apiVersion", "v1"}});
    for (const auto& [key, value] : group_body(group).members()) result.set(key, value);
    return result;
  }
  return std::nullopt;
}

std::optional<json::Value> api_resource_list(const Registry& registry, std::string_view group,
                                             std::string_view version) {
  json::Value resources = json::Value::array();
  for (const auto& one : group.empty() ? std::vector{core_group(registry)} : groups_of(registry)) {
    if (one.name != group) continue;
    for (const auto& served : one.versions) {
      if (served.version != version) continue;
      for (const auto& kind : served.kinds) {
        resources.push_back(resource_body(*kind));
        for (const auto& sub : subresources_of(*kind)) resources.push_back(subresource_body(*kind, sub));
      }
    }
  }
  if (resources.empty()) return std::nullopt;
  json::Value result = json::Value::object({{"kind", "APIResourceList"}});
  if (!group.empty()) result.set("apiVersion", "v1");
  result.set("groupVersion", group_version_text(group, version));
  result.set("resources", std::move(resources));
  return result;
}

json::Value version_info() {
  return json::Value::object({{"major", "1"},
                              {"minor", "32"},
                              {"gitVersion", "v1.32.13"},
                              {"gitCommit", ""},
                              {"gitTreeState", "clean"},
                              {"buildDate", "1970-01-01T00:00:00Z"},
                              {"goVersion", "go1.23"},
                              {"compiler", "skiff"},
                              {"platform", "linux/amd64"}});
}

}  // namespace skiff::kube
