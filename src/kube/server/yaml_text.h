// A JSON value as YAML text in block style, for clients that accept application/yaml. Pure.
#pragma once

#include <string>

#include "base/json.h"

namespace skiff::kube {

// One document, with a line end. Strings are quoted as in JSON, which YAML reads the same.
std::string encode_yaml(const json::Value& value);

}  // namespace skiff::kube
