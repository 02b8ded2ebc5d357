// Where this installation has its buildpacks.
#pragma once

#include <string>

namespace skiff {

// Installed with the package, else beside the source this binary was built from.
std::string buildpacks_directory();

}  // namespace skiff
