#include "kube/discovery/openapi_schema.h"

#include <algorithm>

#include "base/strings.h"

namespace skiff::kube {

namespace {

json::Value reference(const Type& type) {
  return json::Value::object({{"$ref", "#/components/schemas/" + type.name}});
}

json::Value typed(std::string_view type, std::string_view format = "") {
  json::Value result = json::Value::object({{"type", type}});
  if (!format.empty()) result.set("format", format);
  return result;
}

json::Value item_schema(const Field& field) {
  switch (field.scalar) {
    case Scalar::kObject:
      return field.type != nullptr ? reference(*field.type) : typed("object");
    case Scalar::kString:
      return typed("string", field.format);
    case Scalar::kBool:
      return typed("boolean");
    case Scalar::kInteger:
      return typed("integer", field.format.empty() ? "int64" : field.format);
    case Scalar::kNumber:
      return typed("number", "double");
    case Scalar::kBytes:
      return typed("string", "byte");
    case Scalar::kTime:
    case Scalar::kMicroTime:
      return typed("string", "date-time");
    case Scalar::kQuantity:
      return json::Value::object({{"oneOf", json::Value::array({typed("string"), typed("number")})}});
    case Scalar::kIntOrString:
      return json::Value::object(
          {{"format", "int-or-string"}, {"oneOf", json::Value::array({typed("integer"), typed("string")})}});
    case Scalar::kDuration:
      return typed("string");
    case Scalar::kAny:
      return json::Value::object({{"x-kubernetes-preserve-unknown-fields", true}});
  }
  return json::Value::object();
}

json::Value list_of(json::Value items) {
  return json::Value::object({{"type", "array"}, {"items", std::move(items)}});
}
json::Value map_of(json::Value values) {
  return json::Value::object({{"type", "object"}, {"additionalProperties", std::move(values)}});
}

json::Value shaped(const Field& field) {
  json::Value item = item_schema(field);
  if (!field.enum_values.empty()) {
    for (const auto& value : field.enum_values) item.edit("enum").push_back(value);
  }
  switch (field.shape) {
    case FieldShape::kSingle:
      return item;
    case FieldShape::kList:
      return list_of(std::move(item));
    case FieldShape::kMap:
      return map_of(std::move(item));
    case FieldShape::kMapOfLists:
      return map_of(list_of(std::move(item)));
  }
  return item;
}

json::Value field_schema(const Field& field) {
  json::Value result = shaped(field);
  if (!field.patch_strategy.empty()) result.set("x-kubernetes-patch-strategy", field.patch_strategy);
  if (!field.patch_merge_key.empty()) result.set("x-kubernetes-patch-merge-key", field.patch_merge_key);
  if (!field.list_type.empty()) result.set("x-kubernetes-list-type", field.list_type);
  for (const auto& key : field.list_map_keys) result.edit("x-kubernetes-list-map-keys").push_back(key);
  if (!field.map_type.empty()) result.set("x-kubernetes-map-type", field.map_type);
  return result;
}

void add_type(const Type& type, json::Value& schemas);

void add_fields(const Type& type, json::Value& schema, json::Value& schemas) {
  for (const auto& field : type.fields) {
    if (field.inlined && field.type != nullptr) {
      add_fields(*field.type, schema, schemas);
      continue;
    }
    schema.edit("properties").set(field.name, field_schema(field));
    if (field.required) schema.edit("required").push_back(field.name);
    if (field.type != nullptr) add_type(*field.type, schemas);
  }
}

void add_type(const Type& type, json::Value& schemas) {
  if (schemas.contains(type.name)) return;
  json::Value schema = typed("object");
  schemas.set(type.name, schema);  // first, because types refer to themselves
  add_fields(type, schema, schemas);
  schemas.set(type.name, std::move(schema));
}

}  // namespace

std::string schema_name(const Kind& kind) {
  if (kind.type != nullptr) return kind.type->name;
  auto pieces = split(kind.group, '.');
  std::ranges::reverse(pieces);
  return join(pieces, ".") + "." + kind.version + "." + kind.kind;
}

json::Value kind_marker(const Kind& kind) {
  return json::Value::object({{"group", kind.group}, {"version", kind.version}, {"kind", kind.kind}});
}

void add_kind_schemas(const Registry& registry, const Kind& kind, json::Value& schemas) {
  const std::string name = schema_name(kind);
  json::Value schema = kind.custom_schema.is_object() ? kind.custom_schema : typed("object");
  if (kind.type != nullptr) {
    add_type(*kind.type, schemas);
    schema = schemas[name];
  } else if (const Type* metadata = registry.find_type("meta/v1", "ObjectMeta")) {
    add_type(*metadata, schemas);
    schema.edit("properties").set("metadata", reference(*metadata));
  }
  auto& properties = schema.edit("properties");
  for (const char* field : {"apiVersion", "kind"}) {
    if (!properties.contains(field)) properties.set(field, typed("string"));
  }
  schema.set("x-kubernetes-group-version-kind", json::Value::array({kind_marker(kind)}));
  for (const auto& path : kind.selectable_fields) {
    schema.edit("x-kubernetes-selectable-fields").push_back(json::Value::object({{"fieldPath", path}}));
  }
  schemas.set(name, std::move(schema));
}

}  // namespace skiff::kube
