// Server-side printing: objects to meta.k8s.io/v1 Tables (contracts: columns per kind). Pure.
#pragma once

#include "base/json.h"
#include "base/time.h"
#include "kube/schema/schema.h"

namespace skiff::kube {

enum class IncludeObject { kNone, kMetadata, kObject };

json::Value table_columns(const Kind& kind);
// One row: {cells, object}.
json::Value table_row(const Kind& kind, const json::Value& object, IncludeObject include, WallTime now);
// A whole Table; `list_metadata` is {resourceVersion, continue, remainingItemCount}.
json::Value make_table(const Kind& kind, const std::vector<json::Value>& objects,
                       const json::Value& list_metadata, IncludeObject include, WallTime now);
// "45s", "3m15s", "2h5m", "3d4h": kubectl's human duration.
std::string human_duration(Duration age);

}  // namespace skiff::kube
