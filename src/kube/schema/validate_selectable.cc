// The fields by which a definition lets its objects be selected.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "kube/schema/validate.h"

namespace skiff::kube {
namespace {

using json::Value;

constexpr size_t kMaxSelectableFields = 8;  // as upstream

const Value* step_into(const Value& schema, std::string_view name) {
  if (schema.contains("properties")) return schema["properties"].find(name);
  const Value& additional = schema["additionalProperties"];
  return additional.is_object() ? &additional : nullptr;
}

// The schema of what a path like ".spec.color" leads to; an error says what is wrong with the path.
Result<const Value*> find_field(const Value& schema, std::string_view path) {
  constexpr std::string_view kDelimiters = ".[]";
  const Value* at = &schema;
  while (!path.empty()) {
    if (path.front() == '[') return fail(Code::kInvalidArgument, "array notation is not allowed");
    if (path.front() != '.') {
      const size_t length = std::max<size_t>(1, std::min(path.find_first_of(kDelimiters), path.size()));
      return fail(Code::kInvalidArgument, fmt::format("expected [ or . but got: {}", path.substr(0, length)));
    }
    path.remove_prefix(1);
    if (path.empty()) return fail(Code::kInvalidArgument, "unexpected end of JSON path");
    const size_t length = std::max<size_t>(1, std::min(path.find_first_of(kDelimiters), path.size()));
    at = step_into(*at, path.substr(0, length));
    if (at == nullptr) return fail(Code::kInvalidArgument, "does not refer to a valid field");
    path.remove_prefix(length);
  }
  return at;
}

bool is_plain(const Value& schema) {
  const std::string& type = schema["type"].str();
  return type == "string" || type == "boolean" || type == "integer";
}

}  // namespace

void validate_selectable_fields(const Value& fields, const Value& schema, const std::string& at,
                                Findings& findings) {
  std::set<std::string, std::less<>> seen;
  for (size_t i = 0; i < fields.size() && !findings.full(); ++i) {
    const Value& given = fields.at(i)["jsonPath"];
    const std::string place = fmt::format("{}[{}].jsonPath", at, i);
    const std::string& path = given.str();
    if (path.empty()) {
      findings.required(place);
      continue;
    }
    const auto field = find_field(schema, path);
    if (!field) {
      findings.invalid(place, given, "is an invalid path: " + field.error().message);
      continue;
    }
    if (path == ".metadata" || path.starts_with(".metadata."))
      findings.invalid(place, given, "must not point to fields in metadata");
    if (!is_plain(**field)) {
      findings.invalid(place, given,
                       "must point to a field of type string, boolean or integer. Enum string fields and "
                       "strings with formats are allowed.");
    }
    if (!seen.insert(path).second) findings.duplicate(place, given);
  }
  if (seen.size() > kMaxSelectableFields) findings.too_many(at, seen.size(), kMaxSelectableFields);
}

}  // namespace skiff::kube
