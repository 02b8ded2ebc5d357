// Custom resources: what their schema keeps, and its defaults.
#include <algorithm>

#include "kube/schema/conform.h"

namespace skiff::kube {
namespace {

using json::Value;

bool preserves_unknown(const Value& schema) {
  return schema.is_null() || schema["x-kubernetes-preserve-unknown-fields"].as_bool() ||
         schema["additionalProperties"].as_bool();
}

Value sorted(json::Members members) {
  std::ranges::sort(members, {}, &json::Member::first);
  return Value::object(std::move(members));
}

Value prune(const Value& schema, const Value& value, const FieldPath& path,
            std::vector<std::string>* findings);

Value prune_object(const Value& schema, const Value& value, const FieldPath& path,
                   std::vector<std::string>* findings) {
  const auto& properties = schema["properties"];
  const auto& additional = schema["additionalProperties"];
  bool embedded = schema["x-kubernetes-embedded-resource"].as_bool();
  json::Members out;
  for (const auto& [name, member] : value.members()) {
    const FieldPath at(path, name);
    bool implied =
        (path.is_root() || embedded) && (name == "apiVersion" || name == "kind" || name == "metadata");
    if (implied) {
      out.emplace_back(name, member);
    } else if (const auto* property = properties.find(name)) {
      out.emplace_back(name, prune(*property, member, at, findings));
    } else if (additional.is_object()) {
      out.emplace_back(name, prune(additional, member, at, findings));
    } else if (preserves_unknown(schema)) {
      out.emplace_back(name, member);
    } else {
      note_unknown_field(findings, at);
    }
  }
  return sorted(std::move(out));
}

Value prune(const Value& schema, const Value& value, const FieldPath& path,
            std::vector<std::string>* findings) {
  if (value.is_object()) return prune_object(schema, value, path, findings);
  if (!value.is_array()) return value;
  json::Array out;
  for (const auto& item : value.items()) {
    out.push_back(prune(schema["items"], item, FieldPath(path, out.size()), findings));
  }
  return Value(std::move(out));
}

}  // namespace

Value prune_custom(const Kind& kind, const Value& object, std::vector<std::string>* findings) {
  return prune(kind.custom_schema, object, FieldPath(), findings);
}

bool default_custom(const Value& schema, Value& value) {
  bool changed = false;
  if (value.is_array()) {
    for (size_t i = 0; i < value.size(); ++i) changed |= default_custom(schema["items"], value.edit_at(i));
    return changed;
  }
  if (!value.is_object()) return false;
  for (const auto& [name, property] : schema["properties"].members()) {
    const auto* preset = property.find("default");
    bool missing = !value.contains(name) || (value[name].is_null() && !property["nullable"].as_bool());
    if (preset != nullptr && missing) {
      value.set(name, *preset);
      changed = true;
    }
    if (value.contains(name)) changed |= default_custom(property, value.edit(name));
  }
  const auto& additional = schema["additionalProperties"];
  if (!additional.is_object()) return changed;
  std::vector<std::string> names;
  for (const auto& [name, member] : value.members()) {
    if (!schema["properties"].contains(name)) names.push_back(name);
  }
  for (const auto& name : names) changed |= default_custom(additional, value.edit(name));
  return changed;
}

void drop_nulls(const Value& schema, Value& value) {
  if (value.is_array()) {
    for (size_t i = 0; i < value.size(); ++i) drop_nulls(schema["items"], value.edit_at(i));
    return;
  }
  if (!value.is_object()) return;
  const auto& properties = schema["properties"];
  const auto& additional = schema["additionalProperties"];
  json::Members kept;
  for (const auto& [name, member] : value.members()) {
    const auto* property = properties.find(name);
    const Value& of = property ? *property : additional;
    if (of.is_object() && member.is_null() && !of["nullable"].as_bool()) continue;
    auto& [key, copy] = kept.emplace_back(name, member);
    if (of.is_object()) drop_nulls(of, copy);
  }
  value = Value::object(std::move(kept));
}

// Defaults stand where the structure of values is: not below allOf, anyOf, oneOf or not.
bool sets_defaults(const Value& schema) {
  if (!schema.is_object()) return false;
  if (schema.contains("default")) return true;
  const auto below = [](const json::Member& member) { return sets_defaults(member.second); };
  return std::ranges::any_of(schema["properties"].members(), below) ||
         sets_defaults(schema["additionalProperties"]) || sets_defaults(schema["items"]);
}

bool default_stored(const Kind& kind, Value& object) {
  return kind.stored_defaults.is_object() && default_custom(kind.stored_defaults, object);
}

}  // namespace skiff::kube
