// One printer a kind: its columns, and the cells of one object. Pure; internal to kube/print.
#pragma once

#include <span>

#include "base/json.h"
#include "base/time.h"
#include "kube/schema/schema.h"

namespace skiff::kube {

struct Column {
  const char* name;
  const char* type = "string";
  const char* format = "";
  int priority = 0;  // 1: only shown wide
};

struct Printer {
  const char* group;
  const char* kind;
  std::span<const Column> columns;
  json::Array (*cells)(const json::Value& object, WallTime now);
};

std::span<const Printer> pod_printers();
std::span<const Printer> workload_printers();
std::span<const Printer> network_printers();
std::span<const Printer> cluster_printers();
std::span<const Printer> access_printers();
std::span<const Printer> event_printers();

// Columns and cells that a CustomResourceDefinition describes.
json::Value custom_columns(const Kind& kind);
json::Array custom_cells(const Kind& kind, const json::Value& object, WallTime now);

}  // namespace skiff::kube
