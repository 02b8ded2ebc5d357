#include "kube/schema/scalar.h"

#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "base/strings.h"
#include "kube/schema/quantity.h"
#include "kube/schema/unix_time.h"

namespace skiff::kube {
namespace {

using json::Value;

std::string_view json_kind_name(const Value& value) {
  if (value.is_string()) return "string";
  if (value.is_bool()) return "bool";
  if (value.is_array()) return "array";
  if (value.is_object()) return "object";
  return "number";
}

std::string short_type_name(std::string_view full) {
  return std::string(full.substr(full.rfind('.') + 1));
}

Result<Value> convert_integer(const Type& owner, const Field& field, const Value& value,
                              const FieldPath& path) {
  if (!value.is_number()) return type_error(owner, path, value, go_type_name(field));
  bool fits = value.is_int() || value.as_double() == std::trunc(value.as_double());
  auto number = value.as_int();
  if (field.format != "int64") {
    fits = fits && number >= std::numeric_limits<int32_t>::min() &&
           number <= std::numeric_limits<int32_t>::max();
  }
  if (value.kind() == json::Kind::kUint) fits = false;
  if (fits) return Value(number);
  auto text = json::encode(value);
  return fail(Code::kInvalidArgument,
              fmt::format("json: cannot unmarshal number {} into Go struct field {}.{} of type {}", text,
                          short_type_name(owner.name), path.field_names(), go_type_name(field)));
}

// Go's decoder names the byte at which it stopped.
size_t base64_error_offset(std::string_view text) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  auto bad = text.find_first_not_of(kAlphabet);
  return bad == std::string_view::npos ? text.size() : bad;
}

Result<Value> convert_bytes(const Type& owner, const Field& field, const Value& value,
                            const FieldPath& path) {
  if (!value.is_string()) return type_error(owner, path, value, go_type_name(field));
  // Go's decoder skips line breaks.
  auto text = replace_all(replace_all(value.str(), "\n", ""), "\r", "");
  if (!base64_decode(text)) {
    return fail(Code::kInvalidArgument,
                fmt::format("illegal base64 data at input byte {}", base64_error_offset(value.str())));
  }
  return Value(std::move(text));
}

Result<Value> convert_time(const Type& owner, const Field& field, const Value& value, const FieldPath& path) {
  if (!value.is_string()) return type_error(owner, path, value, go_type_name(field));
  bool micro = field.scalar == Scalar::kMicroTime;
  if (const auto time = parse_unix_time(value.str())) {
    auto text = format_unix_time(*time, micro ? Fraction::kMicro : Fraction::kNone);
    // Only an offset leads out of the years that can be written.
    return text ? Value(std::move(*text)) : value;
  }
  std::string_view layout = micro ? "2006-01-02T15:04:05.000000Z07:00" : "2006-01-02T15:04:05Z07:00";
  return fail(
      Code::kInvalidArgument,
      fmt::format("parsing time \"{0}\" as \"{1}\": cannot parse \"{0}\" as \"2006\"", value.str(), layout));
}

Result<Value> convert_quantity(const Value& value) {
  auto text = value.is_string() ? std::string(trim(value.str())) : json::encode(value);
  auto quantity = parse_quantity(text);
  if (!quantity) return fail(Code::kInvalidArgument, std::string(kQuantityError));
  return Value(format_quantity(*quantity));
}

Value zero_scalar(const Field& field) {
  switch (field.scalar) {
    case Scalar::kString:
    case Scalar::kBytes:
      return Value("");
    case Scalar::kBool:
      return Value(false);
    case Scalar::kInteger:
    case Scalar::kNumber:
    case Scalar::kIntOrString:
      return Value(0);
    case Scalar::kQuantity:
      return Value("0");
    default:
      return Value();
  }
}

bool has_right_kind(const Field& field, const Value& value) {
  switch (field.scalar) {
    case Scalar::kString:
      return value.is_string();
    case Scalar::kBool:
      return value.is_bool();
    case Scalar::kNumber:
      return value.is_number();
    case Scalar::kIntOrString:
      return value.is_int() || value.is_string();
    case Scalar::kDuration:
      return value.is_string();
    default:
      return true;
  }
}

}  // namespace

std::string go_type_name(const Field& field) {
  switch (field.scalar) {
    case Scalar::kObject: {
      std::string_view name = field.type->name;
      auto package = name.substr(0, name.rfind('.'));
      return fmt::format("{}.{}", package.substr(package.rfind('.') + 1), short_type_name(name));
    }
    case Scalar::kString:
      return "string";
    case Scalar::kBool:
      return "bool";
    case Scalar::kInteger:
      return field.format == "int64" ? "int64" : "int32";
    case Scalar::kNumber:
      return "float64";
    case Scalar::kBytes:
      return "[]uint8";
    case Scalar::kIntOrString:
      return "intstr.IntOrString";
    case Scalar::kQuantity:
      return "resource.Quantity";
    case Scalar::kTime:
    case Scalar::kMicroTime:
      return "string";
    case Scalar::kDuration:
      return "string";
    case Scalar::kAny:
      return "v1.JSON";
  }
  return "string";
}

std::unexpected<Error> type_error(const Type& owner, const FieldPath& path, const Value& value,
                                  const std::string& go_type) {
  return fail(Code::kInvalidArgument,
              fmt::format("json: cannot unmarshal {} into Go struct field {}.{} of type {}",
                          json_kind_name(value), short_type_name(owner.name), path.field_names(), go_type));
}

Result<Value> convert_scalar(const Type& owner, const Field& field, const Value& value,
                             const FieldPath& path) {
  if (value.is_null()) return zero_scalar(field);
  switch (field.scalar) {
    case Scalar::kInteger:
      return convert_integer(owner, field, value, path);
    case Scalar::kBytes:
      return convert_bytes(owner, field, value, path);
    case Scalar::kTime:
    case Scalar::kMicroTime:
      return convert_time(owner, field, value, path);
    case Scalar::kQuantity:
      return convert_quantity(value);
    default:
      break;
  }
  if (!has_right_kind(field, value)) return type_error(owner, path, value, go_type_name(field));
  return value;
}

}  // namespace skiff::kube
