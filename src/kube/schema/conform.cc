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

std::string join_path(const std::string& path, std::string_view name) {
  return path.empty() ? std::string(name) : fmt::format("{}.{}", path, name);
}

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
        auto made = Conformer(nullptr).convert(*field.type, Value::object(), "", "");
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

Result<Value> Conformer::convert(const Type& type, const Value& value, const std::string& path,
                                 const std::string& go_path) {
  Slots slots;
  for (const auto& [name, member] : value.members()) {
    const auto* field = type.find(name);
    if (field == nullptr) {
      if (findings_ != nullptr)
        findings_->push_back(fmt::format("unknown field \"{}\"", join_path(path, name)));
      continue;
    }
    if (member.is_null()) continue;
    auto converted = convert_field(type, *field, member, join_path(path, name), join_path(go_path, name));
    if (!converted) return std::unexpected(std::move(converted).error());
    slots.emplace_back(field, std::move(*converted));
  }
  json::Members out;
  write_fields(type, slots, out);
  return Value::object(std::move(out));
}

Result<Value> Conformer::convert_field(const Type& owner, const Field& field, const Value& value,
                                       const std::string& path, const std::string& go_path) {
  switch (field.shape) {
    case FieldShape::kSingle:
      return convert_item(owner, field, value, path, go_path);
    case FieldShape::kList:
      return convert_list(owner, field, value, path, go_path);
    default:
      return convert_map(owner, field, value, path, go_path);
  }
}

Result<Value> Conformer::convert_list(const Type& owner, const Field& field, const Value& value,
                                      const std::string& path, const std::string& go_path) {
  if (!value.is_array()) return type_error(owner, go_path, value, "[]" + go_type_name(field));
  json::Array out;
  out.reserve(value.size());
  for (const auto& item : value.items()) {
    auto item_path = fmt::format("{}[{}]", path, out.size());
    auto converted = convert_item(owner, field, item, item_path, go_path);
    if (!converted) return converted;
    out.push_back(std::move(*converted));
  }
  return Value(std::move(out));
}

Result<Value> Conformer::convert_map(const Type& owner, const Field& field, const Value& value,
                                     const std::string& path, const std::string& go_path) {
  bool of_lists = field.shape == FieldShape::kMapOfLists;
  if (!value.is_object()) {
    return type_error(owner, go_path, value,
                      (of_lists ? "map[string][]" : "map[string]") + go_type_name(field));
  }
  json::Members out;
  out.reserve(value.size());
  for (const auto& [key, item] : value.members()) {
    auto item_path = join_path(path, key);
    auto converted = of_lists && !item.is_null() ? convert_list(owner, field, item, item_path, go_path)
                                                 : convert_item(owner, field, item, item_path, go_path);
    if (!converted) return converted;
    out.emplace_back(key, std::move(*converted));
  }
  // Go writes maps sorted by key.
  std::ranges::sort(out, {}, &json::Member::first);
  return Value::object(std::move(out));
}

Result<Value> Conformer::convert_item(const Type& owner, const Field& field, const Value& value,
                                      const std::string& path, const std::string& go_path) {
  if (field.scalar != Scalar::kObject) return convert_scalar(owner, field, value, go_path);
  if (!value.is_object() && !value.is_null()) return type_error(owner, go_path, value, go_type_name(field));
  return convert(*field.type, value, path, go_path);
}

}  // namespace skiff::kube
