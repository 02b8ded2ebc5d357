#include "kube/print/cells.h"
#include "kube/print/json_path.h"
#include "kube/print/printers.h"

namespace skiff::kube {

namespace {

json::Value column(const json::Value& name, const json::Value& type, std::string_view format,
                   const json::Value& description, int64_t priority) {
  return json::Value::object({{"name", name},
                              {"type", type},
                              {"format", format},
                              {"description", description.str()},
                              {"priority", priority}});
}

// Null when the value is not of the column's type.
json::Value cell(const json::Value& value, std::string_view type, WallTime now) {
  if (value.is_null()) return nullptr;
  if (type == "integer") return value.is_number() ? json::Value(value.as_int()) : json::Value();
  if (type == "number") return value.is_number() ? value : json::Value();
  if (type == "boolean") return value.is_bool() ? value : json::Value();
  if (type == "date") return parse_rfc3339(value.str()) ? age_since(value, now) : "<invalid>";
  return value.is_string() ? value : json::Value(json::encode(value));
}

}  // namespace

json::Value custom_columns(const Kind& kind) {
  json::Value result = json::Value::array({column("Name", "string", "name", "", 0)});
  if (kind.printer_columns.empty()) result.push_back(column("Age", "date", "", "", 0));
  for (const auto& one : kind.printer_columns.items()) {
    result.push_back(
        column(one["name"], one["type"], one["format"].str(), one["description"], one["priority"].as_int()));
  }
  return result;
}

json::Array custom_cells(const Kind& kind, const json::Value& object, WallTime now) {
  json::Array result = {name_of(object)};
  if (kind.printer_columns.empty()) result.emplace_back(age_of(object, now));
  for (const auto& one : kind.printer_columns.items()) {
    result.push_back(cell(find_by_path(object, one["jsonPath"].str()), one["type"].str(), now));
  }
  return result;
}

}  // namespace skiff::kube
