// Kubernetes quantities ("500m", "64Mi", "1e3") as the node needs them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/json.h"

namespace skiff::node {

// In thousandths, rounded up; nothing when malformed or out of range.
std::optional<int64_t> parse_milli(const json::Value& quantity);
// Whole units, rounded up.
std::optional<int64_t> parse_units(const json::Value& quantity);

}  // namespace skiff::node
