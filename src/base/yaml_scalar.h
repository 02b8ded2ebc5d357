// What a YAML 1.1 scalar means, as Kubernetes' readers see it. Pure; internal to base/yaml.
#pragma once

#include <string_view>

#include "base/json.h"

namespace skiff::yaml {

// Quoted, or plain with a tag of its own.
enum class ScalarStyle { kPlain, kQuoted };

// `tag` is the full tag ("tag:yaml.org,2002:str") or "".
Result<json::Value> resolve_scalar(std::string_view text, std::string_view tag, ScalarStyle style);

}  // namespace skiff::yaml
