// Protobuf bodies: "k8s\0", an envelope (runtime.Unknown) and the message of the object itself.
#include <bit>
#include <cstring>
#include <optional>

#include <fmt/format.h>

#include "base/strings.h"
#include "kube/schema/conform.h"
#include "kube/schema/schema.h"
#include "kube/schema/unix_time.h"

namespace skiff::kube {
namespace {

using json::Value;

constexpr std::string_view kMagic{"k8s\0", 4};
constexpr int kMaxDepth = 64;  // deeper bodies are refused: no kind nests nearly as deep

struct Record {
  int number = 0;
  uint64_t varint = 0;     // wire types 0, 1 and 5
  std::string_view bytes;  // wire type 2
};

std::unexpected<Error> malformed(std::string_view what) {
  return fail(Code::kInvalidArgument, fmt::format("the protobuf body is malformed: {}", what));
}

// Reads the records of one message in order.
class Reader {
 public:
  explicit Reader(std::string_view data) : data_(data) {}
  bool at_end() const { return data_.empty(); }

  std::optional<Record> next() {
    auto tag = varint();
    if (!tag || (*tag >> 3) == 0 || (*tag >> 3) > (1u << 29)) return std::nullopt;
    Record record;
    record.number = static_cast<int>(*tag >> 3);
    switch (*tag & 7) {
      case 0: {
        auto value = varint();
        if (!value) return std::nullopt;
        record.varint = *value;
        return record;
      }
      case 1:
        return fixed(record, 8);
      case 2: {
        auto size = varint();
        if (!size || *size > data_.size()) return std::nullopt;
        record.bytes = data_.substr(0, *size);
        data_.remove_prefix(*size);
        return record;
      }
      case 5:
        return fixed(record, 4);
      default:
        return std::nullopt;
    }
  }

 private:
  std::optional<uint64_t> varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 70 && !data_.empty(); shift += 7) {
      auto byte = static_cast<uint8_t>(data_.front());
      data_.remove_prefix(1);
      if (shift < 64) value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    return std::nullopt;
  }
  std::optional<Record> fixed(Record record, size_t size) {
    if (data_.size() < size) return std::nullopt;
    std::memcpy(&record.varint, data_.data(), size);
    data_.remove_prefix(size);
    return record;
  }

  std::string_view data_;
};

// The fields of a small message by number; the last of several wins.
struct Small {
  uint64_t numbers[5] = {};
  std::string_view texts[5];
  bool ok = true;
  bool empty = true;

  explicit Small(std::string_view message) {
    Reader reader(message);
    while (!reader.at_end()) {
      auto record = reader.next();
      if (!record) {
        ok = false;
        return;
      }
      empty = false;
      if (record->number > 4) continue;
      numbers[record->number] = record->varint;
      texts[record->number] = record->bytes;
    }
  }
};

Result<Value> decode_message(const Type& type, std::string_view message, int depth);

Result<Value> decode_time(const Field& field, std::string_view message) {
  Small time(message);
  if (!time.ok) return malformed(field.name);
  if (time.empty) return Value();
  const UnixTime at{static_cast<int64_t>(time.numbers[1]), static_cast<int32_t>(time.numbers[2])};
  const bool micro = field.scalar == Scalar::kMicroTime;
  if (at.seconds == kGoZeroTime && (!micro || at.nanos == 0)) return Value();
  const auto text = format_unix_time(at, micro ? Fraction::kMicro : Fraction::kNone);
  if (!text) return malformed(field.name + " is out of range");
  return Value(*text);
}

Result<Value> decode_raw(const Field& field, std::string_view message) {
  Small raw(message);
  if (!raw.ok) return malformed(field.name);
  if (raw.texts[1].empty()) return Value();
  return json::parse(raw.texts[1]);
}

// A schema as JSON has it: protobuf carries the zero values too.
Result<Value> decode_schema(const Type& type, std::string_view message, int depth) {
  auto decoded = decode_message(type, message, depth + 1);
  if (!decoded) return decoded;
  return Conformer(nullptr).convert(type, *decoded, FieldPath());
}

// {1: schema, 2: schemas}, {1: bool, 2: schema} or {1: schema, 2: strings}.
Result<Value> decode_union(const Field& field, std::string_view message, int depth) {
  if (depth > kMaxDepth) return malformed("nested too deeply");
  const bool of_bool = field.format == "schema-or-bool", of_lists = field.format == "schema-or-list";
  const int schema_number = of_bool ? 2 : 1;
  Value schema, list;
  bool allowed = false;
  Reader reader(message);
  while (!reader.at_end()) {
    const auto record = reader.next();
    if (!record) return malformed(field.name);
    if (record->number != 1 && record->number != 2) continue;
    if (record->number != schema_number && of_bool) {
      allowed = record->varint != 0;
    } else if (record->number != schema_number && !of_lists) {
      list.push_back(Value(record->bytes));
    } else {
      auto decoded = decode_schema(*field.type, record->bytes, depth);
      if (!decoded) return decoded;
      if (record->number == schema_number) {
        schema = std::move(*decoded);
      } else {
        list.push_back(std::move(*decoded));
      }
    }
  }
  if (!schema.is_null()) return schema;
  return of_bool ? Value(allowed) : list;
}

Result<Value> decode_value(const Field& field, const Record& record, int depth) {
  switch (field.scalar) {
    case Scalar::kObject:
      return decode_message(*field.type, record.bytes, depth + 1);
    case Scalar::kString:
      return Value(record.bytes);
    case Scalar::kBytes:
      return Value(base64_encode(record.bytes));
    case Scalar::kBool:
      return Value(record.varint != 0);
    case Scalar::kInteger:
      return Value(static_cast<int64_t>(record.varint));
    case Scalar::kNumber:
      return Value(std::bit_cast<double>(record.varint));
    case Scalar::kTime:
    case Scalar::kMicroTime:
      return decode_time(field, record.bytes);
    case Scalar::kAny:
      return field.type != nullptr ? decode_union(field, record.bytes, depth)
                                   : decode_raw(field, record.bytes);
    case Scalar::kQuantity: {
      Small quantity(record.bytes);
      return quantity.ok ? Result<Value>(Value(quantity.texts[1])) : malformed(field.name);
    }
    case Scalar::kIntOrString: {
      Small either(record.bytes);
      if (!either.ok) return malformed(field.name);
      return either.numbers[1] == 0 ? Value(static_cast<int64_t>(either.numbers[2])) : Value(either.texts[3]);
    }
    case Scalar::kDuration:
      break;
  }
  return malformed(field.name + " cannot be read");
}

// {1: key, 2: value}; a value that is missing is the zero value.
Result<void> add_map_entry(const Field& field, std::string_view entry, int depth, Value& map) {
  Reader reader(entry);
  std::string key;
  Record value;
  while (!reader.at_end()) {
    auto record = reader.next();
    if (!record) return malformed(field.name);
    if (record->number == 1) key = record->bytes;
    if (record->number == 2) value = *record;
  }
  if (field.shape == FieldShape::kMapOfLists) {
    auto& list = map.set(key, Value::array());
    Reader items(value.bytes);
    while (!items.at_end()) {
      auto record = items.next();
      if (!record) return malformed(field.name);
      list.push_back(Value(record->bytes));
    }
    return {};
  }
  auto decoded = decode_value(field, value, depth);
  if (!decoded) return std::unexpected(decoded.error());
  map.set(key, std::move(*decoded));
  return {};
}

const Field* find_number(const Type& type, int number) {
  for (const auto& field : type.fields) {
    if (field.proto_number == number) return &field;
  }
  return nullptr;
}

Result<void> add_record(const Field& field, const Record& record, int depth, Value& out) {
  if (field.inlined) {
    auto nested = decode_message(*field.type, record.bytes, depth + 1);
    if (!nested) return std::unexpected(nested.error());
    for (const auto& [name, value] : nested->members()) out.set(name, value);
    return {};
  }
  if (field.shape == FieldShape::kMap || field.shape == FieldShape::kMapOfLists) {
    return add_map_entry(field, record.bytes, depth, out.edit(field.name));
  }
  auto value = decode_value(field, record, depth);
  if (!value) return std::unexpected(value.error());
  if (field.shape == FieldShape::kList) {
    out.edit(field.name).push_back(std::move(*value));
  } else {
    out.set(field.name, std::move(*value));
  }
  return {};
}

Result<Value> decode_message(const Type& type, std::string_view message, int depth) {
  if (depth > kMaxDepth) return malformed("nested too deeply");
  auto out = Value::object();
  Reader reader(message);
  while (!reader.at_end()) {
    auto record = reader.next();
    if (!record) return malformed("in " + type.name);
    const auto* field = find_number(type, record->number);
    if (field == nullptr) continue;
    SKIFF_RETURN_IF_ERROR(add_record(*field, *record, depth, out));
  }
  return out;
}

}  // namespace

Result<Value> decode_protobuf(const Registry& registry, std::string_view body) {
  if (!body.starts_with(kMagic)) {
    return fail(Code::kInvalidArgument,
                "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
  }
  Small envelope(body.substr(kMagic.size()));
  if (!envelope.ok) return malformed("the envelope");
  Small type_meta(envelope.texts[1]);
  auto api_version = type_meta.texts[1];
  auto halves = split_once(api_version, "/");
  auto group = halves.found ? halves.before : std::string_view();
  auto version = halves.found ? halves.after : api_version;
  auto name = type_meta.texts[2];
  auto kind = registry.find_kind(group, version, name);
  // Options travel under the group that they are for.
  if (!kind) kind = registry.find_kind("meta.k8s.io", "v1", name);
  if (!kind || kind->type == nullptr) {
    return fail(Code::kInvalidArgument,
                fmt::format("no kind \"{}\" is registered for version \"{}\"", name, api_version));
  }
  auto message = decode_message(*kind->type, envelope.texts[2], 0);
  if (!message) return message;
  message->set("kind", name);
  message->set("apiVersion", api_version);
  return message;
}

}  // namespace skiff::kube
