// How git is run: its settings against what a push may hold. Pure.
#pragma once

#include <string>
#include <vector>

#include "platform/builds/limits.h"

namespace skiff::platform {

// "git" and its settings, for a subcommand to follow.
std::vector<std::string> git_command(const std::string& hooks_folder, const BuildLimits& limits);
// Git must not read the configuration of whoever started us.
std::vector<std::string> git_environment(const std::string& socket, const BuildLimits& limits);

}  // namespace skiff::platform
