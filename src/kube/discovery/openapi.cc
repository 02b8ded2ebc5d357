#include <fmt/core.h>

#include "kube/discovery/discovery.h"
#include "kube/discovery/openapi_schema.h"
#include "kube/discovery/resources.h"

namespace skiff::kube {

namespace {

std::string document_path(std::string_view group, std::string_view version) {
  return (group.empty() ? "api/" : "apis/") + group_version_text(group, version);
}

json::Value operation(const Kind& kind, std::string_view action) {
  json::Value body = json::Value::object({{"x-kubernetes-action", action},
                                          {"x-kubernetes-group-version-kind", kind_marker(kind)},
                                          {"responses", json::Value::object()}});
  json::Value parameters = json::Value::array();
  if (action == "patch" || action == "post" || action == "put") {
    for (const char* name : {"dryRun", "fieldManager", "fieldValidation"}) {
      parameters.push_back(json::Value::object(
          {{"name", name}, {"in", "query"}, {"schema", json::Value::object({{"type", "string"}})}}));
    }
  }
  body.set("parameters", std::move(parameters));
  return body;
}

// kubectl asks the patch operation whether a kind knows fieldValidation, so each kind has one here.
void add_paths(const Kind& kind, const std::string& root, json::Value& paths) {
  std::string collection = "/" + root + (kind.namespaced ? "/namespaces/{namespace}/" : "/") + kind.plural;
  paths.set(collection,
            json::Value::object({{"get", operation(kind, "list")}, {"post", operation(kind, "post")}}));
  paths.set(collection + "/{name}", json::Value::object({{"get", operation(kind, "get")},
                                                         {"put", operation(kind, "put")},
                                                         {"patch", operation(kind, "patch")}}));
}

json::Value document(const Registry& registry, const Group& group, const GroupVersion& version) {
  json::Value paths = json::Value::object();
  json::Value schemas = json::Value::object();
  for (const auto& kind : version.kinds) {
    add_paths(*kind, document_path(group.name, version.version), paths);
    add_kind_schemas(registry, *kind, schemas);
  }
  json::Value info =
      json::Value::object({{"title", "Kubernetes"}, {"version", version_info()["gitVersion"]}});
  return json::Value::object({{"openapi", "3.0.0"},
                              {"info", std::move(info)},
                              {"paths", std::move(paths)},
                              {"components", json::Value::object({{"schemas", std::move(schemas)}})}});
}

// FNV-1a: clients only compare it, to keep their copies.
std::string hash_of(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return fmt::format("{:016X}", hash);
}

// A protobuf field of wire type 2; texts here are shorter than 128 bytes.
std::string protobuf_text(char field, const std::string& text) {
  return std::string{static_cast<char>(field << 3 | 2), static_cast<char>(text.size())} + text;
}

std::vector<Group> every_group(const Registry& registry) {
  auto groups = groups_of(registry);
  groups.insert(groups.begin(), core_group(registry));
  return groups;
}

}  // namespace

json::Value openapi_v2() {
  json::Value info =
      json::Value::object({{"title", "Kubernetes"}, {"version", version_info()["gitVersion"]}});
  return json::Value::object(
      {{"swagger", "2.0"}, {"info", std::move(info)}, {"paths", json::Value::object()}});
}

std::string openapi_v2_protobuf() {
  const json::Value document = openapi_v2();
  const std::string info =
      protobuf_text(1, document["info"]["title"].str()) + protobuf_text(2, document["info"]["version"].str());
  return protobuf_text(1, document["swagger"].str()) + protobuf_text(2, info);
}

json::Value openapi_v3_index(const Registry& registry) {
  json::Value paths = json::Value::object();
  for (const auto& group : every_group(registry)) {
    for (const auto& version : group.versions) {
      std::string path = document_path(group.name, version.version);
      std::string hash = hash_of(json::encode(document(registry, group, version)));
      paths.set(path, json::Value::object({{"serverRelativeURL", "/openapi/v3/" + path + "?hash=" + hash}}));
    }
  }
  return json::Value::object({{"paths", std::move(paths)}});
}

std::optional<json::Value> openapi_v3(const Registry& registry, std::string_view path) {
  for (const auto& group : every_group(registry)) {
    for (const auto& version : group.versions) {
      if (document_path(group.name, version.version) == path) return document(registry, group, version);
    }
  }
  return std::nullopt;
}

}  // namespace skiff::kube
