// The part of JSONPath that printer columns use: ".a.b", "['a.b']", "[0]", "[*]",
// "[?(@.type==\"Ready\")].status". Pure; internal to kube/print.
#pragma once

#include <string_view>

#include "base/json.h"

namespace skiff::kube {

// The first match, or null when there is none or the path is malformed.
json::Value find_by_path(const json::Value& object, std::string_view path);

}  // namespace skiff::kube
