// Where objects stand in the store, and how what is stored is served.
#include "base/strings.h"
#include "kube/schema/event_names.h"
#include "kube/server/objects.h"

namespace skiff::kube {

namespace {

// Events of events.k8s.io are those of v1 under other names, as upstream: one collection, two views.
std::string_view stored_group(const Kind& kind) {
  return kind.group.empty() || is_newer_event(kind) ? std::string_view("core") : kind.group;
}

// Members in the order of the kind, and what it writes of absent ones.
json::Value conformed(const Kind& kind, json::Value object) {
  auto checked = conform(kind, object);
  return checked ? std::move(checked->object) : object;
}

}  // namespace

bool is_definition(const Kind& kind) {
  return kind.group == "apiextensions.k8s.io" && kind.kind == "CustomResourceDefinition";
}

std::string collection_prefix(const Target& target) {
  std::string prefix = "/" + std::string(stored_group(*target.kind)) + "/" + target.kind->plural + "/";
  if (target.kind->namespaced && !target.name_space.empty()) prefix += target.name_space + "/";
  return prefix;
}

std::string object_path(const Target& target) {
  return collection_prefix(target) + target.name;
}

json::Value stored_object(const Registry& registry, const Kind& kind, const json::Value& object) {
  if (kind.custom && !kind.storage_version.empty()) {
    json::Value kept = object;
    kept.set("apiVersion", kind.group + "/" + kind.storage_version);
    return kept;
  }
  if (!is_newer_event(kind)) return object;
  return conformed(*registry.find("", "v1", "events"), to_core_event(object));
}

Result<json::Value> served_object(const Kind& kind, const store::Bytes& stored) {
  auto object = json::parse(*stored);
  if (object && is_newer_event(kind)) return conformed(kind, to_newer_event(*object));
  if (!object || !kind.custom) return object;
  object->set("apiVersion", kind.api_version());
  default_stored(kind, *object);
  return object;
}

store::Bytes served_bytes(const Kind& kind, const store::Bytes& stored) {
  if (is_newer_event(kind)) {
    auto event = served_object(kind, stored);
    return event ? std::make_shared<const std::string>(json::encode(*event)) : stored;
  }
  if (!kind.custom) return stored;
  // The members of a custom object are sorted, so the version mostly stands in front.
  const bool same_version = stored->starts_with("{\"apiVersion\":\"" + kind.api_version() + "\"");
  if (same_version && kind.stored_defaults.is_null()) return stored;
  auto object = json::parse(*stored);
  if (!object) return stored;
  object->set("apiVersion", kind.api_version());
  if (!default_stored(kind, *object) && same_version) return stored;
  return std::make_shared<const std::string>(json::encode(*object));
}

store::Revision revision_of(const json::Value& object) {
  return store::Revision{parse_int(object["metadata"]["resourceVersion"].str()).value_or(0)};
}

}  // namespace skiff::kube
