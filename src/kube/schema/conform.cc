#include "kube/schema/conform.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "kube/schema/scalar.h"

namespace skiff::kube {
namespace {

using json::Value;
using Slots = std::vector<std::pair<const Field*, Value>>;

// What Go's omitempty leaves out.
bool is_zero(const Field& field, const Value& value) {
  if (field.shape != FieldShape::kSingle) return value.size() == 0;
  switch (field.scalar) {
    case Scalar::kString:
    case Scalar::kBytes:
      return value.str().empty();
    case Scalar::kBool:
      return !value.as_bool();
    case Scalar::kInteger:
      return value.as_int() == 0;
    case Scalar::kNumber:
      return value.as_double() == 0;
    default:
      return false;
  }
}

// Writes what an absent field looks like; false when it is left out.
bool make_zero(const Field& field, Value& out) {
  if (field.pointer) {
    out = Value();
    return !field.omit_empty;
  }
  if (field.shape == FieldShape::kSingle) {
    switch (field.scalar) {
      case Scalar::kObject: {
        auto made = Conformer(nullptr).convert(*field.type, Value::object(), FieldPath());
        out = made ? std::move(*made) : Value::object();
        return true;
      }
      // Structs in Go: omitempty does not leave them out.
      case Scalar::kTime:
      case Scalar::kMicroTime:
        out = Value();
        return true;
      case Scalar::kIntOrString:
        out = Value(0);
        return true;
      case Scalar::kQuantity:
        out = Value("0");
        return true;
      case Scalar::kString:
        out = Value("");
        break;
      case Scalar::kBool:
        out = Value(false);
        break;
      case Scalar::kInteger:
      case Scalar::kNumber:
        out = Value(0);
        break;
      default:
        out = Value();
        break;
    }
  }
  return !field.omit_empty;
}

void write_fields(const Type& type, Slots& slots, json::Members& out) {
  for (const auto& field : type.fields) {
    if (field.inlined) {
      write_fields(*field.type, slots, out);
      continue;
    }
    auto slot = std::ranges::find(slots, &field, &Slots::value_type::first);
    if (slot != slots.end() && (field.pointer || !field.omit_empty || !is_zero(field, slot->second))) {
      out.emplace_back(field.name, std::move(slot->second));
      continue;
    }
    Value zero;
    // kind and apiVersion are written by whoever knows them.
    if (slot == slots.end() && make_zero(field, zero)) out.emplace_back(field.name, std::move(zero));
  }
}

}  // namespace

void note_unknown_field(std::vector<std::string>* findings, const FieldPath& path) {
  if (findings != nullptr && findings->size() < json::kMaxDuplicateKeys)
    findings->push_back(fmt::format("unknown field \"{}\"", path.text()));
}

Result<Value> Conformer::convert(const Type& type, const Value& value, const FieldPath& path) {
  Slots slots;
  for (const auto& [name, member] : value.members()) {
    const auto* field = type.find(name);
    const FieldPath at(path, name);
    if (field == nullptr) {
      note_unknown_field(findings_, at);
      continue;
    }
    if (member.is_null()) continue;
    auto converted = convert_field(type, *field, member, at);
    if (!converted) return std::unexpected(std::move(converted).error());
    slots.emplace_back(field, std::move(*converted));
  }
  json::Members out;
  write_fields(type, slots, out);
  return Value::object(std::move(out));
}

Result<Value> Conformer::convert_field(const Type& owner, const Field& field, const Value& value,
                                       const FieldPath& path) {
  switch (field.shape) {
    case FieldShape::kSingle:
      return convert_item(owner, field, value, path);
    case FieldShape::kList:
      return convert_list(owner, field, value, path);
    default:
      return convert_map(owner, field, value, path);
  }
}

Result<Value> Conformer::convert_list(const Type& owner, const Field& field, const Value& value,
                                      const FieldPath& path) {
  if (!value.is_array()) return type_error(owner, path, value, "[]" + go_type_name(field));
  json::Array out;
  out.reserve(value.size());
  for (const auto& item : value.items()) {
    auto converted = convert_item(owner, field, item, FieldPath(path, out.size()));
    if (!converted) return converted;
    out.push_back(std::move(*converted));
  }
  return Value(std::move(out));
}

Result<Value> Conformer::convert_map(const Type& owner, const Field& field, const Value& value,
                                     const FieldPath& path) {
  bool of_lists = field.shape == FieldShape::kMapOfLists;
  if (!value.is_object()) {
    return type_error(owner, path, value, (of_lists ? "map[string][]" : "map[string]") + go_type_name(field));
  }
  json::Members out;
  out.reserve(value.size());
  for (const auto& [key, item] : value.members()) {
    const FieldPath at = FieldPath::entry(path, key);
    auto converted = of_lists && !item.is_null() ? convert_list(owner, field, item, at)
                                                 : convert_item(owner, field, item, at);
    if (!converted) return converted;
    out.emplace_back(key, std::move(*converted));
  }
  // Go writes maps sorted by key.
  std::ranges::sort(out, {}, &json::Member::first);
  return Value::object(std::move(out));
}

Result<Value> Conformer::convert_item(const Type& owner, const Field& field, const Value& value,
                                      const FieldPath& path) {
  if (field.scalar != Scalar::kObject) return convert_scalar(owner, field, value, path);
  if (!value.is_object() && !value.is_null()) return type_error(owner, path, value, go_type_name(field));
  return convert(*field.type, value, path);
}

}  // namespace skiff::kube
