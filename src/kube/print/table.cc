#include "kube/print/table.h"

#include <array>

#include "kube/print/cells.h"
#include "kube/print/printers.h"

namespace skiff::kube {

namespace {

constexpr std::array kDefaultColumns =
    std::to_array<Column>({{"Name", "string", "name"}, {"Created At", "date"}});

json::Array default_cells(const json::Value& object, WallTime) {
  return {name_of(object), object["metadata"]["creationTimestamp"]};
}

constexpr Printer kDefault{"", "", kDefaultColumns, default_cells};

const Printer& printer_of(const Kind& kind) {
  for (auto printers : {pod_printers(), workload_printers(), network_printers(), cluster_printers(),
                        access_printers(), event_printers()}) {
    for (const auto& one : printers) {
      if (kind.group == one.group && kind.kind == one.kind) return one;
    }
  }
  return kDefault;
}

json::Value metadata_only(const json::Value& object) {
  return json::Value::object({{"kind", "PartialObjectMetadata"},
                              {"apiVersion", "meta.k8s.io/v1"},
                              {"metadata", object["metadata"]}});
}

json::Value included(const json::Value& object, IncludeObject include) {
  switch (include) {
    case IncludeObject::kNone:
      return nullptr;
    case IncludeObject::kMetadata:
      return metadata_only(object);
    case IncludeObject::kObject:
      return object;
  }
  return nullptr;
}

}  // namespace

json::Value table_columns(const Kind& kind) {
  if (kind.custom) return custom_columns(kind);
  json::Value result = json::Value::array();
  for (const auto& one : printer_of(kind).columns) {
    result.push_back(json::Value::object({{"name", one.name},
                                          {"type", one.type},
                                          {"format", one.format},
                                          {"description", ""},
                                          {"priority", one.priority}}));
  }
  return result;
}

json::Value table_row(const Kind& kind, const json::Value& object, IncludeObject include, WallTime now) {
  json::Array cells = kind.custom ? custom_cells(kind, object, now) : printer_of(kind).cells(object, now);
  return json::Value::object(
      {{"cells", json::Value(std::move(cells))}, {"object", included(object, include)}});
}

json::Value make_table(const Kind& kind, const std::vector<json::Value>& objects,
                       const json::Value& list_metadata, IncludeObject include, WallTime now) {
  json::Value rows = json::Value::array();
  for (const auto& object : objects) rows.push_back(table_row(kind, object, include, now));
  return json::Value::object({{"kind", "Table"},
                              {"apiVersion", "meta.k8s.io/v1"},
                              {"metadata", list_metadata.is_object() ? list_metadata : json::Value::object()},
                              {"columnDefinitions", table_columns(kind)},
                              {"rows", std::move(rows)}});
}

}  // namespace skiff::kube
