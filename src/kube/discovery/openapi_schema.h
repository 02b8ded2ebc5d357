// Types as OpenAPI v3 schemas. Pure; internal to kube/discovery.
#pragma once

#include "kube/schema/schema.h"

namespace skiff::kube {

// The name of a kind's schema among the components.
std::string schema_name(const Kind& kind);
// Adds the schema of `kind` and of every type it reaches to `schemas`.
void add_kind_schemas(const Registry& registry, const Kind& kind, json::Value& schemas);
json::Value kind_marker(const Kind& kind);  // {group, version, kind}

}  // namespace skiff::kube
