// Where objects stand in the store, and how what is stored is served.
#include "base/strings.h"
#include "kube/server/objects.h"

namespace skiff::kube {

bool is_definition(const Kind& kind) {
  return kind.group == "apiextensions.k8s.io" && kind.kind == "CustomResourceDefinition";
}

std::string collection_prefix(const Target& target) {
  std::string prefix =
      "/" + (target.kind->group.empty() ? "core" : target.kind->group) + "/" + target.kind->plural + "/";
  if (target.kind->namespaced && !target.name_space.empty()) prefix += target.name_space + "/";
  return prefix;
}

std::string object_path(const Target& target) {
  return collection_prefix(target) + target.name;
}

Result<json::Value> served_object(const Kind& kind, const store::Bytes& stored) {
  auto object = json::parse(*stored);
  if (!object || !kind.custom) return object;
  object->set("apiVersion", kind.api_version());
  default_stored(kind, *object);
  return object;
}

store::Bytes served_bytes(const Kind& kind, const store::Bytes& stored) {
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
