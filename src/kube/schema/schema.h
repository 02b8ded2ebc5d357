// Kinds as data. One description per kind, from which decoding, strict field validation, defaulting, patches,
// tables, discovery and OpenAPI derive. Built-in kinds come from src/kube/kinds (generated tables); custom
// ones from CustomResourceDefinitions at run time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace skiff::kube {

struct Type;

enum class FieldShape {
  kSingle,
  kList,
  kMap,
  kMapOfLists
};  // maps have string keys; lists of plain values in the last

enum class Scalar {
  kObject,  // a struct: see Field::type
  kString,
  kBool,
  kInteger,
  kNumber,
  kBytes,  // kBytes: base64 in JSON
  kAny,    // any JSON (RawExtension, JSON, FieldsV1)
  kIntOrString,
  kQuantity,
  kTime,
  kMicroTime,
  kDuration,
};

struct Field {
  std::string name;  // JSON name; "" for an inlined struct
  Scalar scalar = Scalar::kString;
  FieldShape shape = FieldShape::kSingle;
  const Type* type = nullptr;  // for kObject, and for kAny the struct that it may be
  bool inlined = false;        // JSON flattens the fields of `type`
  bool required = false;
  bool omit_empty = true;  // Go's omitempty
  bool pointer = false;    // absent and zero differ
  int proto_number = 0;    // 0: not in protobuf
  std::string proto_wire;  // "varint", "bytes", "fixed64" ...
  std::vector<std::string> enum_values;
  std::string patch_strategy;  // "merge", "replace", "retainKeys", "merge,retainKeys" or ""
  std::string patch_merge_key;
  std::string list_type;  // "atomic", "set", "map" or ""
  std::vector<std::string> list_map_keys;
  std::string map_type;
  // "int32", "int64", "date-time", "byte"; of kAny what may stand instead of the struct: "schema-or-list",
  // "schema-or-bool", "schema-or-strings".
  std::string format;
};

struct Type {
  std::string name;  // "io.k8s.api.core.v1.PodSpec"-like or short "PodSpec": unique within a registry
  std::vector<Field> fields;       // in the order in which the server writes them
  bool preserves_unknown = false;  // custom resources with x-kubernetes-preserve-unknown-fields
  const Field* find(std::string_view json_name) const;
};

struct Subresource {
  std::string name;   // "status", "scale", "binding", "log"
  std::string kind;   // of its body
  std::string group;  // group and version of that kind; both "" when those of the parent
  std::string version;
  std::vector<std::string> verbs;
};

struct Kind {
  std::string group;  // "" for core
  std::string version;
  std::string kind;
  std::string plural;
  std::string singular;
  std::vector<std::string> short_names;
  std::vector<std::string> categories;
  std::vector<std::string> verbs;
  bool namespaced = true;
  bool has_status = false;  // /status subresource
  bool has_scale = false;
  bool listed = true;  // false for review kinds that are answered, not stored
  bool custom = false;
  const Type* type = nullptr;             // null for custom kinds
  std::vector<Subresource> subresources;  // as upstream's discovery lists them
  std::string storage_version_hash;
  // Custom resources only:
  json::Value custom_schema;                   // openAPIV3Schema
  std::string storage_version;                 // under which objects are kept
  json::Value stored_defaults;                 // the storage version's schema; null when it sets no defaults
  json::Value printer_columns;                 // additionalPrinterColumns
  std::vector<std::string> selectable_fields;  // "spec.color"
  json::Value scale_paths;   // specReplicasPath, statusReplicasPath, labelSelectorPath; null: no /scale
  bool terminating = false;  // its definition is being deleted: nothing of it is created any more
  std::string api_version() const { return group.empty() ? version : group + "/" + version; }
  std::string group_resource() const { return group.empty() ? plural : plural + "." + group; }
};
using KindPtr = std::shared_ptr<const Kind>;

// All kinds served. Built-in ones are fixed; custom ones come and go. One thread; the kinds and types handed
// out are constant, types live as long as the program.
class Registry {
 public:
  Registry();  // with the built-in kinds of the generated tables
  ~Registry();
  KindPtr find(std::string_view group, std::string_view version, std::string_view plural) const;
  // Also kinds without a resource of their own, which all() leaves out: Scale, TokenRequest, Eviction,
  // DeleteOptions and Status (group "meta.k8s.io").
  KindPtr find_kind(std::string_view group, std::string_view version, std::string_view kind) const;
  bool has_group_version(std::string_view group, std::string_view version) const;
  std::vector<KindPtr> all() const;
  void add_custom(KindPtr kind);
  void remove_custom(std::string_view group, std::string_view plural);
  // A built-in struct by name, for example ("meta/v1", "DeleteOptions") or ("core/v1", "PodSpec"); null when
  // unknown.
  const Type* find_type(std::string_view package, std::string_view name) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

enum class MediaType { kJson, kYaml, kProtobuf };

struct Decoded {
  json::Value object;  // unknown fields removed, types checked, order of the kind's fields
  // `unknown field "spec.foo"`, `duplicate field "data.a"`, as upstream words them. The duplicate keys of
  // YAML are one finding, which begins with kYamlFindings and has a line for each.
  std::vector<std::string> strict_findings;
};
inline constexpr std::string_view kYamlFindings = "yaml: unmarshal errors:\n  ";
// Request body to object. Errors carry upstream's words ("Service in version \"v1\" cannot be handled as a
// Pod: ...").
Result<Decoded> decode(const Registry& registry, const Kind& kind, MediaType media, std::string_view body);
// The same checks and pruning for a value that a patch made.
Result<Decoded> conform(const Kind& kind, json::Value object);
// Checks against any struct (options bodies); unknown fields are dropped.
Result<json::Value> conform_type(const Type& type, const json::Value& value, std::string_view kind_name);
// Protobuf envelope and message to JSON.
Result<json::Value> decode_protobuf(const Registry& registry, std::string_view body);

// Fills upstream's defaults in place (Deployment strategy, probes, ports, ...). Pure and idempotent.
void apply_defaults(const Kind& kind, json::Value& object);
// Of a custom kind: whether the schema sets any default; the defaults that an object from the store lacks,
// since they may be newer than it. True when something was set.
bool sets_defaults(const json::Value& schema);
bool default_stored(const Kind& kind, json::Value& object);

struct FieldError {
  std::string
      reason;  // "FieldValueRequired", "FieldValueInvalid", "FieldValueNotSupported", "FieldValueForbidden",
               // "FieldValueDuplicate", "FieldValueTooLong", "FieldValueNotFound"
  std::string field;    // "spec.template.spec.containers[0].image"
  std::string message;  // without the field: "Required value", "Invalid value: \"x\": must be ..."
};
// Semantic checks of a whole object; `old` null on create. Custom kinds: their schema.
std::vector<FieldError> validate(const Kind& kind, const json::Value& object, const json::Value* old);

}  // namespace skiff::kube
