// Discovery and OpenAPI documents, derived from the registry. Pure.
#pragma once

#include <optional>
#include <string>

#include "base/json.h"
#include "kube/schema/schema.h"

namespace skiff::kube {

json::Value api_versions();                                                              // GET /api
json::Value api_group_list(const Registry& registry);                                    // GET /apis
std::optional<json::Value> api_group(const Registry& registry, std::string_view group);  // GET /apis/<group>
// GET /api/v1 and /apis/<group>/<version>.
std::optional<json::Value> api_resource_list(const Registry& registry, std::string_view group,
                                             std::string_view version);
// as=APIGroupDiscoveryList; `core` true for /api. `version` "v2" or "v2beta1".
json::Value aggregated_discovery(const Registry& registry, bool core, std::string_view version);
json::Value version_info();                              // GET /version, gitVersion v1.32.x
json::Value openapi_v3_index(const Registry& registry);  // GET /openapi/v3, with hashes
// GET /openapi/v2: a document without definitions, as JSON and as protobuf (gnostic's openapi.v2.Document).
// kubectl fetches it before a v1 List; finding no definition it leaves the checking to the server.
json::Value openapi_v2();
std::string openapi_v2_protobuf();
// GET /openapi/v3/<path>, path like "apis/apps/v1" or "api/v1".
std::optional<json::Value> openapi_v3(const Registry& registry, std::string_view path);

}  // namespace skiff::kube
