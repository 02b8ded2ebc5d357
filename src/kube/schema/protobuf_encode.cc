#include "kube/schema/protobuf.h"

#include <bit>
#include <cstring>

#include "base/strings.h"
#include "kube/schema/unix_time.h"

namespace skiff::kube {
namespace {

using json::Value;

constexpr uint64_t kVarint = 0, kFixed64 = 1, kBytes = 2;  // wire types

void put_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

void put_number(std::string& out, int field, uint64_t value) {
  put_varint(out, static_cast<uint64_t>(field) << 3 | kVarint);
  put_varint(out, value);
}

void put_bytes(std::string& out, int field, std::string_view bytes) {
  put_varint(out, static_cast<uint64_t>(field) << 3 | kBytes);
  put_varint(out, bytes.size());
  out += bytes;
}

void put_double(std::string& out, int field, double value) {
  put_varint(out, static_cast<uint64_t>(field) << 3 | kFixed64);
  const auto bits = std::bit_cast<uint64_t>(value);
  char bytes[sizeof bits];
  std::memcpy(bytes, &bits, sizeof bits);
  out.append(bytes, sizeof bytes);
}

std::string encode_message(const Type& type, const Value& value);

std::string encode_time(const Value& value) {
  std::string out;
  const auto time = parse_unix_time(value.str());
  if (!time) return out;
  put_number(out, 1, static_cast<uint64_t>(time->seconds));
  put_number(out, 2, static_cast<uint64_t>(time->nanos));
  return out;
}

// {1: schema, 2: schemas}, {1: bool, 2: schema} or {1: schema, 2: strings}.
std::string encode_union(const Field& field, const Value& value) {
  std::string out;
  const bool of_bool = field.format == "schema-or-bool";
  if (of_bool) put_number(out, 1, value.is_object() || value.as_bool() ? 1 : 0);
  if (value.is_object()) put_bytes(out, of_bool ? 2 : 1, encode_message(*field.type, value));
  for (const auto& item : value.items())
    put_bytes(out, 2, item.is_object() ? encode_message(*field.type, item) : item.str());
  return out;
}

std::string encode_int_or_string(const Value& value) {
  std::string out;
  put_number(out, 1, value.is_string() ? 1 : 0);
  put_number(out, 2, static_cast<uint64_t>(value.as_int()));
  put_bytes(out, 3, value.str());
  return out;
}

std::string wrapped(std::string_view bytes) {
  std::string out;
  put_bytes(out, 1, bytes);
  return out;
}

// One value under a number: of the field itself, of a list's item, of a map's entry.
void put_value(std::string& out, const Field& field, int number, const Value& value) {
  switch (field.scalar) {
    case Scalar::kObject:
      return put_bytes(out, number, encode_message(*field.type, value));
    case Scalar::kString:
      return put_bytes(out, number, value.str());
    case Scalar::kBytes:
      return put_bytes(out, number, base64_decode(value.str()).value_or(""));
    case Scalar::kBool:
      return put_number(out, number, value.as_bool() ? 1 : 0);
    case Scalar::kInteger:
      return put_number(out, number, static_cast<uint64_t>(value.as_int()));
    case Scalar::kNumber:
      return put_double(out, number, value.as_double());
    case Scalar::kTime:
    case Scalar::kMicroTime:
      return put_bytes(out, number, encode_time(value));
    case Scalar::kAny:
      return put_bytes(out, number,
                       field.type != nullptr ? encode_union(field, value) : wrapped(json::encode(value)));
    case Scalar::kQuantity:
      return put_bytes(out, number, wrapped(value.is_string() ? value.str() : json::encode(value)));
    case Scalar::kIntOrString:
      return put_bytes(out, number, encode_int_or_string(value));
    case Scalar::kDuration:
      return;  // no kind served here has one
  }
}

void put_map(std::string& out, const Field& field, const Value& map) {
  for (const auto& [key, value] : map.members()) {
    std::string entry;
    put_bytes(entry, 1, key);
    if (field.shape == FieldShape::kMapOfLists) {
      std::string list;
      for (const auto& item : value.items()) put_value(list, field, 1, item);
      put_bytes(entry, 2, list);
    } else {
      put_value(entry, field, 2, value);
    }
    put_bytes(out, field.proto_number, entry);
  }
}

std::string encode_message(const Type& type, const Value& value) {
  std::string out;
  for (const auto& field : type.fields) {
    if (field.proto_number == 0) continue;
    if (field.inlined) {
      put_bytes(out, field.proto_number, encode_message(*field.type, value));
      continue;
    }
    const Value* member = value.find(field.name);
    if (member == nullptr || member->is_null()) continue;
    if (field.shape == FieldShape::kSingle) {
      put_value(out, field, field.proto_number, *member);
    } else if (field.shape == FieldShape::kList) {
      for (const auto& item : member->items()) put_value(out, field, field.proto_number, item);
    } else {
      put_map(out, field, *member);
    }
  }
  return out;
}

KindPtr find(const Registry& registry, const std::string& api_version, std::string_view name) {
  const auto halves = split_once(api_version, "/");
  const auto group = halves.found ? halves.before : std::string_view();
  const auto version = halves.found ? halves.after : std::string_view(api_version);
  KindPtr kind = registry.find_kind(group, version, name);
  // A Status is of no group.
  if (!kind && api_version == "v1") kind = registry.find_kind("meta.k8s.io", "v1", name);
  return kind && has_protobuf(*kind) ? kind : nullptr;
}

std::string encode_list(const Type& item_type, const Value& list) {
  const Value& metadata = list["metadata"];
  std::string meta, out;
  put_bytes(meta, 2, metadata["resourceVersion"].str());
  put_bytes(meta, 3, metadata["continue"].str());
  if (const auto& left = metadata["remainingItemCount"]; left.is_int())
    put_number(meta, 4, static_cast<uint64_t>(left.as_int()));
  put_bytes(out, 1, meta);
  for (const auto& item : list["items"].items()) put_bytes(out, 2, encode_message(item_type, item));
  return out;
}

}  // namespace

bool has_protobuf(const Kind& kind) {
  return kind.type != nullptr;
}

std::optional<std::string> encode_protobuf(const Registry& registry, const Value& object) {
  const std::string& api_version = object["apiVersion"].str();
  const std::string& name = object["kind"].str();
  std::string message, type_meta, unknown;
  if (const KindPtr kind = find(registry, api_version, name)) {
    message = encode_message(*kind->type, object);
  } else if (constexpr std::string_view kList = "List"; name.ends_with(kList)) {
    const KindPtr items = find(registry, api_version, name.substr(0, name.size() - kList.size()));
    if (!items) return std::nullopt;
    message = encode_list(*items->type, object);
  } else {
    return std::nullopt;
  }
  put_bytes(type_meta, 1, api_version);
  put_bytes(type_meta, 2, name);
  put_bytes(unknown, 1, type_meta);
  put_bytes(unknown, 2, message);
  put_bytes(unknown, 3, "");
  put_bytes(unknown, 4, "");
  return std::string("k8s\0", 4) + unknown;
}

std::optional<std::string> encode_protobuf_event(const Registry& registry, std::string_view type,
                                                 const Value& object) {
  auto body = encode_protobuf(registry, object);
  if (!body) return std::nullopt;
  std::string event;
  put_bytes(event, 1, type);
  put_bytes(event, 2, wrapped(*body));
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(event.size() >> shift);
  return out + event;
}

}  // namespace skiff::kube
