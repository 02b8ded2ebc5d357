// The Procfile of an app: which process types it has and how each is started. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace skiff::platform {

constexpr size_t kMaxProcfileBytes = 64 << 10;
constexpr size_t kMaxProcessTypes = 50;

// Process type to command. "web: bin/server": one a line; blank lines and "#" comments are skipped. A line of
// another form is an error that names it.
Result<std::map<std::string, std::string>> parse_procfile(std::string_view text);

// An app's name: ^[a-z][a-z0-9-]{1,28}[a-z0-9]$.
Result<void> check_app_name(std::string_view name);
// A config var's name: ^[A-Za-z_][A-Za-z0-9_]*$.
Result<void> check_config_name(std::string_view name);
// A value that a program gets as it is: UTF-8 without NUL.
Result<void> check_config_value(std::string_view name, std::string_view value);

}  // namespace skiff::platform
