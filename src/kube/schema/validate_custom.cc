// Custom resources against their openAPIV3Schema. Of the rules in CEL (x-kubernetes-validations) only
// "self == oldSelf" is evaluated.
#include <algorithm>
#include <cmath>
#include <regex>
#include <set>

#include <fmt/format.h>

#include "base/strings.h"
#include "base/time.h"
#include "kube/schema/names.h"
#include "kube/schema/validate.h"

namespace skiff::kube {
namespace {

using json::Value;

// Longer texts are refused where a pattern is asked for: the matcher's stack grows with the text.
constexpr size_t kMaxPatternText = 4096;

void check(const Value& schema, const Value& value, const std::string& path, Findings& findings);

std::string_view type_name(const Value& value) {
  if (value.is_string()) return "string";
  if (value.is_bool()) return "boolean";
  if (value.is_array()) return "array";
  if (value.is_object()) return "object";
  if (value.is_int()) return "integer";
  return value.is_null() ? "null" : "number";
}

bool has_type(const Value& schema, const Value& value) {
  if (schema["x-kubernetes-int-or-string"].as_bool()) return value.is_int() || value.is_string();
  const auto& type = schema["type"].str();
  if (type.empty() || type == type_name(value)) return true;
  if (type == "integer") return value.is_number() && value.as_double() == std::trunc(value.as_double());
  return type == "number" && value.is_number();
}

bool matches(const std::string& pattern, const std::string& text) {
  if (text.size() > kMaxPatternText) return false;
  try {
    return std::regex_search(text, std::regex(pattern, std::regex::ECMAScript));
  } catch (const std::regex_error&) {
    return true;  // a pattern of another dialect refuses nothing
  }
}

size_t count_characters(const std::string& text) {
  return static_cast<size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

void check_string(const Value& schema, const Value& value, const std::string& path, Findings& findings) {
  const auto& text = value.str();
  auto length = count_characters(text);
  if (schema["maxLength"].is_int() && length > schema["maxLength"].as_uint()) {
    findings.too_long(path, schema["maxLength"].as_uint());
  }
  if (schema["minLength"].is_int() && length < schema["minLength"].as_uint()) {
    findings.invalid(
        path, value,
        fmt::format("{} in body should be at least {} chars long", path, schema["minLength"].as_int()));
  }
  const auto& pattern = schema["pattern"].str();
  if (!pattern.empty() && !matches(pattern, text)) {
    findings.invalid(path, value, fmt::format("{} in body should match '{}'", path, pattern));
  }
}

void check_number(const Value& schema, const Value& value, const std::string& path, Findings& findings) {
  auto number = value.as_double();
  const auto& most = schema["maximum"];
  const auto& least = schema["minimum"];
  bool below = schema["exclusiveMaximum"].as_bool();
  bool above = schema["exclusiveMinimum"].as_bool();
  if (most.is_number() && (number > most.as_double() || (below && number == most.as_double()))) {
    findings.invalid(path, value,
                     fmt::format("{} in body should be less than {}{}", path, below ? "" : "or equal to ",
                                 json::encode(most)));
  }
  if (least.is_number() && (number < least.as_double() || (above && number == least.as_double()))) {
    findings.invalid(path, value,
                     fmt::format("{} in body should be greater than {}{}", path, above ? "" : "or equal to ",
                                 json::encode(least)));
  }
  const double step = schema["multipleOf"].as_double();
  if (step > 0 && std::remainder(number, step) != 0) {
    findings.invalid(
        path, value,
        fmt::format("{} in body should be a multiple of {}", path, json::encode(schema["multipleOf"])));
  }
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

void check_distinct(const Value& schema, const Value& value, const std::string& path, Findings& findings) {
  const auto& type = schema["x-kubernetes-list-type"].str();
  if (type != "set" && type != "map") return;
  std::set<std::string> seen;
  for (size_t i = 0; i < value.size(); ++i) {
    auto identity = identity_of(schema, value.at(i));
    if (!seen.insert(json::encode(identity)).second)
      findings.duplicate(fmt::format("{}[{}]", path, i), identity);
  }
}

void check_array(const Value& schema, const Value& value, const std::string& path, Findings& findings) {
  for (size_t i = 0; i < value.size(); ++i) {
    check(schema["items"], value.at(i), fmt::format("{}[{}]", path, i), findings);
  }
  const auto& most = schema["maxItems"];
  if (most.is_int() && value.size() > most.as_uint()) findings.too_many(path, value.size(), most.as_uint());
  const auto& least = schema["minItems"];
  if (least.is_int() && value.size() < least.as_uint()) {
    findings.invalid(path, Value(value.size()),
                     fmt::format("{} in body should have at least {} items", path, least.as_uint()));
  }
  check_distinct(schema, value, path, findings);
}

void check_object(const Value& schema, const Value& value, const std::string& path, Findings& findings) {
  auto child = [&](const std::string& name) {
    return path.empty() ? name : fmt::format("{}.{}", path, name);
  };
  for (const auto& name : schema["required"].items()) {
    if (!value.contains(name.str())) findings.required(child(name.str()));
  }
  const auto& properties = schema["properties"];
  for (const auto& [name, member] : value.members()) {
    // The server checks the metadata of every object itself.
    if (path.empty() && (name == "metadata" || name == "kind" || name == "apiVersion")) continue;
    const auto* property = properties.find(name);
    if (property == nullptr && schema["additionalProperties"].is_object())
      property = &schema["additionalProperties"];
    if (property != nullptr) check(*property, member, child(name), findings);
  }
  const auto& most = schema["maxProperties"];
  if (most.is_int() && value.size() > most.as_uint()) findings.too_many(path, value.size(), most.as_uint());
  const auto& least = schema["minProperties"];
  if (least.is_int() && value.size() < least.as_uint()) {
    findings.invalid(path, Value(value.size()),
                     fmt::format("{} in body should have at least {} properties", path, least.as_uint()));
  }
}

bool fits(const Value& schema, const Value& value, const std::string& path) {
  Findings scratch;
  check(schema, value, path, scratch);
  return scratch.empty();
}

// allOf, anyOf, oneOf and not.
void check_combinations(const Value& schema, const Value& value, const std::string& path,
                        Findings& findings) {
  auto refuse = [&](std::string_view why) {
    findings.invalid(path, Value(""), fmt::format("\"{}\" must {}", path, why));
  };
  auto count = [&](const Value& list) {
    return std::ranges::count_if(list.items(), [&](const Value& one) { return fits(one, value, path); });
  };
  for (const auto& part : schema["allOf"].items()) check(part, value, path, findings);
  if (!schema["anyOf"].empty() && count(schema["anyOf"]) == 0) refuse("validate at least one schema (anyOf)");
  if (!schema["oneOf"].empty()) {
    const auto matching = count(schema["oneOf"]);
    if (matching == 0) refuse("validate one and only one schema (oneOf). Found none valid");
    if (matching > 1)
      refuse(fmt::format("validate one and only one schema (oneOf). Found {} valid alternatives", matching));
  }
  if (schema["not"].is_object() && fits(schema["not"], value, path)) refuse("not validate the schema (not)");
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

void check(const Value& schema, const Value& value, const std::string& path, Findings& findings) {
  if (!schema.is_object() || (value.is_null() && schema["nullable"].as_bool())) return;
  if (!has_type(schema, value)) {
    auto type = schema["x-kubernetes-int-or-string"].as_bool() ? "integer,string" : schema["type"].str();
    findings.wrong_type(path, type_name(value),
                        fmt::format("{} in body must be of type {}: \"{}\"", path, type, type_name(value)));
    return;
  }
  const auto& choices = schema["enum"].items();
  if (!choices.empty() && std::ranges::find(choices, value) == choices.end()) {
    std::vector<std::string> names;
    for (const auto& choice : choices)
      names.push_back(choice.is_string() ? choice.str() : json::encode(choice));
    findings.unsupported(path, value, names);
  }
  if (const auto& format = schema["format"].str(); !has_format(format, value)) {
    findings.wrong_type(path, value.is_string() ? value.str() : json::encode(value),
                        fmt::format("{} in body must be of type {}: {}", path, format, json::encode(value)));
  }
  if (value.is_string()) check_string(schema, value, path, findings);
  if (value.is_number()) check_number(schema, value, path, findings);
  if (value.is_array()) check_array(schema, value, path, findings);
  if (value.is_object()) check_object(schema, value, path, findings);
  check_combinations(schema, value, path, findings);
}

// Down the properties: rules below lists and maps compare what belongs together by key, which is not done
// here.
void check_unchanging(const Value& schema, const Value& value, const Value& old, const std::string& path,
                      Findings& findings) {
  if (value.is_null() || old.is_null()) return;
  for (const auto& rule : schema["x-kubernetes-validations"].items()) {
    if (!is_unchanging_rule(rule) || value == old) continue;
    findings.wrong_type(path, type_name(value), rule["message"].str_or("failed rule: " + rule["rule"].str()));
  }
  for (const auto& [name, property] : schema["properties"].members()) {
    check_unchanging(property, value[name], old[name], path.empty() ? name : path + "." + name, findings);
  }
}

}  // namespace

bool is_unchanging_rule(const Value& rule) {
  return trim(rule["rule"].str()) == "self == oldSelf";
}

void validate_custom(const Kind& kind, const Value& object, const Value* old, Findings& findings) {
  check(kind.custom_schema, object, "", findings);
  if (old != nullptr) check_unchanging(kind.custom_schema, object, *old, "", findings);
}

}  // namespace skiff::kube
