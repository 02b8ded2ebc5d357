// YAML 1.1 as Kubernetes accepts it: the subset that means JSON.
#pragma once

#include <string_view>
#include <vector>

#include "base/json.h"

namespace skiff::yaml {

// One document to a value; aliases are expanded within bounds. Of duplicate keys the last one wins;
// options.duplicate_keys gets them in go-yaml's words, as in: line 3: key "a" already set in map.
Result<json::Value> parse(std::string_view text, const json::ParseOptions& options = {});
// All documents of a stream ("---" between them); empty ones are left out.
Result<std::vector<json::Value>> parse_all(std::string_view text, const json::ParseOptions& options = {});

}  // namespace skiff::yaml
