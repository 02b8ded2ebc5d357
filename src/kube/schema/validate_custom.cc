// Custom resources against their openAPIV3Schema.
#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "base/strings.h"
#include "base/time.h"
#include "kube/schema/field_path.h"
#include "kube/schema/names.h"
#include "kube/schema/pattern.h"
#include "kube/schema/validate.h"

namespace skiff::kube {
namespace {

using json::Value;

// What one object's check may cost: a schema and an object, each of megabytes, multiply.
constexpr size_t kMaxSteps = 2'000'000;           // values compared with schemas and with choices
constexpr size_t kMaxPatternSteps = 200'000'000;  // of patterns, at their worst

bool has_type(const Value& schema, const Value& value) {
  if (schema["x-kubernetes-int-or-string"].as_bool()) return value.is_int() || value.is_string();
  const auto& type = schema["type"].str();
  if (type.empty() || type == json_type_name(value)) return true;
  if (type == "integer") return value.is_number() && value.as_double() == std::trunc(value.as_double());
  return type == "number" && value.is_number();
}

size_t count_characters(const std::string& text) {
  return static_cast<size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

// The members that tell the items of a list apart: the whole item of a set, the keys of a map.
Value identity_of(const Value& schema, const Value& item) {
  if (schema["x-kubernetes-list-type"].str() != "map") return item;
  Value identity = Value::object();
  for (const auto& key : schema["x-kubernetes-list-map-keys"].items()) {
    const auto* given = item.find(key.str());
    identity.set(key.str(), given ? *given : schema["items"]["properties"][key.str()]["default"]);
  }
  return identity;
}

bool has_format(std::string_view format, const Value& value) {
  if (format == "int32") return !value.is_int() || value.as_int() == static_cast<int32_t>(value.as_int());
  if (!value.is_string()) return true;
  if (format == "date-time") return parse_rfc3339(value.str()).has_value();
  if (format == "byte") return base64_decode(value.str()).has_value();
  if (format == "ipv4") return is_ipv4(value.str());
  if (format == "ipv6") return is_ip(value.str()) && !is_ipv4(value.str());
  return true;  // formats that this server does not know refuse nothing
}

// One walk of an object along its schema.
class Checker {
 public:
  explicit Checker(Findings& findings) : findings_(findings) {}
  void check(const Value& schema, const Value& value, const FieldPath& path);

 private:
  void check_string(const Value& schema, const Value& value, const FieldPath& path);
  void check_pattern(const std::string& pattern, const Value& value, const FieldPath& path);
  void check_number(const Value& schema, const Value& value, const FieldPath& path);
  void check_distinct(const Value& schema, const Value& value, const FieldPath& path);
  void check_array(const Value& schema, const Value& value, const FieldPath& path);
  void check_object(const Value& schema, const Value& value, const FieldPath& path);
  void check_embedded(const Value& value, const FieldPath& path);
  void check_combinations(const Value& schema, const Value& value, const FieldPath& path);
  bool fits(const Value& schema, const Value& value, const FieldPath& path);
  void refuse(const FieldPath& path, const Value& value, std::string_view why);
  // Counts; false once the object costs too much, which is said once.
  bool spend(size_t steps, const FieldPath& path);

  Findings& findings_;
  size_t steps_ = 0;
  size_t pattern_steps_ = 0;
};

bool Checker::spend(size_t steps, const FieldPath& path) {
  const bool before = steps_ <= kMaxSteps;
  steps_ += steps;
  if (steps_ <= kMaxSteps) return true;
  if (before) findings_.forbidden(path.text(), "checking the object against its schema takes too long");
  return false;
}

void Checker::refuse(const FieldPath& path, const Value& value, std::string_view why) {
  const std::string at = path.text();
  findings_.invalid(at, value, fmt::format("{} in body {}", at, why));
}

void Checker::check_pattern(const std::string& pattern, const Value& value, const FieldPath& path) {
  const auto compiled = Pattern::compile(pattern);
  // Definitions with a pattern that cannot be read are refused; one stored long ago refuses nothing.
  if (!compiled) return;
  pattern_steps_ += (*compiled)->steps_for(value.str());
  if (pattern_steps_ > kMaxPatternSteps) {
    findings_.forbidden(path.text(), "matching the patterns of the object takes too long: shorten the text");
  } else if (!(*compiled)->is_in(value.str())) {
    refuse(path, value, fmt::format("should match '{}'", pattern));
  }
}

void Checker::check_string(const Value& schema, const Value& value, const FieldPath& path) {
  const auto& text = value.str();
  auto length = count_characters(text);
  if (schema["maxLength"].is_int() && length > schema["maxLength"].as_uint()) {
    findings_.too_long(path.text(), schema["maxLength"].as_uint());
  }
  if (schema["minLength"].is_int() && length < schema["minLength"].as_uint()) {
    refuse(path, value, fmt::format("should be at least {} chars long", schema["minLength"].as_int()));
  }
  if (const auto& pattern = schema["pattern"].str(); !pattern.empty()) check_pattern(pattern, value, path);
}

void Checker::check_number(const Value& schema, const Value& value, const FieldPath& path) {
  auto number = value.as_double();
  const auto& most = schema["maximum"];
  const auto& least = schema["minimum"];
  bool below = schema["exclusiveMaximum"].as_bool();
  bool above = schema["exclusiveMinimum"].as_bool();
  if (most.is_number() && (number > most.as_double() || (below && number == most.as_double()))) {
    refuse(path, value,
           fmt::format("should be less than {}{}", below ? "" : "or equal to ", json::encode(most)));
  }
  if (least.is_number() && (number < least.as_double() || (above && number == least.as_double()))) {
    refuse(path, value,
           fmt::format("should be greater than {}{}", above ? "" : "or equal to ", json::encode(least)));
  }
  const double step = schema["multipleOf"].as_double();
  if (step > 0 && std::remainder(number, step) != 0) {
    refuse(path, value, fmt::format("should be a multiple of {}", json::encode(schema["multipleOf"])));
  }
}

void Checker::check_distinct(const Value& schema, const Value& value, const FieldPath& path) {
  const auto& type = schema["x-kubernetes-list-type"].str();
  if (type != "set" && type != "map") return;
  std::set<std::string> seen;
  for (size_t i = 0; i < value.size(); ++i) {
    if (!spend(schema["x-kubernetes-list-map-keys"].size(), path)) return;
    auto identity = identity_of(schema, value.at(i));
    if (!seen.insert(json::encode(identity)).second) findings_.duplicate(FieldPath(path, i).text(), identity);
  }
}

void Checker::check_array(const Value& schema, const Value& value, const FieldPath& path) {
  for (size_t i = 0; i < value.size(); ++i) check(schema["items"], value.at(i), FieldPath(path, i));
  const auto& most = schema["maxItems"];
  if (most.is_int() && value.size() > most.as_uint())
    findings_.too_many(path.text(), value.size(), most.as_uint());
  const auto& least = schema["minItems"];
  if (least.is_int() && value.size() < least.as_uint()) {
    refuse(path, Value(value.size()), fmt::format("should have at least {} items", least.as_uint()));
  }
  check_distinct(schema, value, path);
}

// An object within an object says what it is.
void Checker::check_embedded(const Value& value, const FieldPath& path) {
  for (const std::string_view name : {"apiVersion", "kind"}) {
    const FieldPath at(path, name);
    const Value* given = value.find(name);
    if (given == nullptr) {
      findings_.required(at.text(), "must not be empty");
    } else if (!given->is_string()) {
      findings_.invalid(at.text(), *given, "must be a string");
    } else if (given->str().empty()) {
      findings_.invalid(at.text(), *given, "must not be empty");
    } else if (name == "kind") {
      const auto wrong = check_dns_1035_label(to_lower(given->str()));
      if (!wrong.empty()) {
        findings_.invalid(at.text(), *given,
                          "may have mixed case, but should otherwise match: " + join(wrong, ","));
      }
    } else if (std::ranges::count(given->str(), '/') > 1) {
      findings_.invalid(at.text(), *given, "unexpected GroupVersion string: " + given->str());
    }
  }
  validate_labels(value["metadata"]["labels"], path.text() + ".metadata.labels", findings_);
}

void Checker::check_object(const Value& schema, const Value& value, const FieldPath& path) {
  if (!spend(schema["required"].size(), path)) return;
  for (const auto& name : schema["required"].items()) {
    if (!value.contains(name.str())) findings_.required(FieldPath(path, name.str()).text());
  }
  const bool embedded = schema["x-kubernetes-embedded-resource"].as_bool() && !path.is_root();
  if (embedded) check_embedded(value, path);
  const auto& properties = schema["properties"];
  for (const auto& [name, member] : value.members()) {
    // The server checks the metadata of every object itself.
    if (path.is_root() && (name == "metadata" || name == "kind" || name == "apiVersion")) continue;
    const auto* property = properties.find(name);
    if (property == nullptr && schema["additionalProperties"].is_object())
      property = &schema["additionalProperties"];
    if (property != nullptr) check(*property, member, FieldPath(path, name));
  }
  const auto& most = schema["maxProperties"];
  if (most.is_int() && value.size() > most.as_uint())
    findings_.too_many(path.text(), value.size(), most.as_uint());
  const auto& least = schema["minProperties"];
  if (least.is_int() && value.size() < least.as_uint()) {
    refuse(path, Value(value.size()), fmt::format("should have at least {} properties", least.as_uint()));
  }
}

bool Checker::fits(const Value& schema, const Value& value, const FieldPath& path) {
  Findings scratch;
  Checker other(scratch);
  other.steps_ = steps_;
  other.pattern_steps_ = pattern_steps_;
  other.check(schema, value, path);
  steps_ = other.steps_;
  pattern_steps_ = other.pattern_steps_;
  return scratch.empty();
}

// allOf, anyOf, oneOf and not.
void Checker::check_combinations(const Value& schema, const Value& value, const FieldPath& path) {
  auto must = [&](std::string_view why) {
    const std::string at = path.text();
    findings_.invalid(at, Value(""), fmt::format("\"{}\" must {}", at, why));
  };
  auto count = [&](const Value& list) {
    return std::ranges::count_if(list.items(), [&](const Value& one) { return fits(one, value, path); });
  };
  for (const auto& part : schema["allOf"].items()) check(part, value, path);
  if (!schema["anyOf"].empty() && count(schema["anyOf"]) == 0) must("validate at least one schema (anyOf)");
  if (!schema["oneOf"].empty()) {
    const auto matching = count(schema["oneOf"]);
    if (matching == 0) must("validate one and only one schema (oneOf). Found none valid");
    if (matching > 1)
      must(fmt::format("validate one and only one schema (oneOf). Found {} valid alternatives", matching));
  }
  if (schema["not"].is_object() && fits(schema["not"], value, path)) must("not validate the schema (not)");
}

void Checker::check(const Value& schema, const Value& value, const FieldPath& path) {
  if (findings_.full() || !spend(1 + schema["enum"].size(), path)) return;
  if (!schema.is_object() || (value.is_null() && schema["nullable"].as_bool())) return;
  if (!has_type(schema, value)) {
    auto type = schema["x-kubernetes-int-or-string"].as_bool() ? "integer,string" : schema["type"].str();
    const std::string at = path.text();
    findings_.wrong_type(
        at, json_type_name(value),
        fmt::format("{} in body must be of type {}: \"{}\"", at, type, json_type_name(value)));
    return;
  }
  const auto& choices = schema["enum"].items();
  if (!choices.empty() && std::ranges::find(choices, value) == choices.end()) {
    std::vector<std::string> names;
    for (const auto& choice : choices)
      names.push_back(choice.is_string() ? choice.str() : json::encode(choice));
    findings_.unsupported(path.text(), value, names);
  }
  if (const auto& format = schema["format"].str(); !has_format(format, value)) {
    const std::string at = path.text();
    findings_.wrong_type(at, value.is_string() ? value.str() : json::encode(value),
                         fmt::format("{} in body must be of type {}: {}", at, format, json::encode(value)));
  }
  if (value.is_string()) check_string(schema, value, path);
  if (value.is_number()) check_number(schema, value, path);
  if (value.is_array()) check_array(schema, value, path);
  if (value.is_object()) check_object(schema, value, path);
  check_combinations(schema, value, path);
}

}  // namespace

std::string_view json_type_name(const Value& value) {
  if (value.is_string()) return "string";
  if (value.is_bool()) return "boolean";
  if (value.is_array()) return "array";
  if (value.is_object()) return "object";
  if (value.is_int()) return "integer";
  return value.is_null() ? "null" : "number";
}

void validate_custom(const Kind& kind, const Value& object, const Value* old, Findings& findings) {
  Checker(findings).check(kind.custom_schema, object, FieldPath());
  if (old != nullptr) validate_unchanging(kind.custom_schema, object, *old, findings);
}

}  // namespace skiff::kube
