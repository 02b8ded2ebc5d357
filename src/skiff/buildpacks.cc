#include "skiff/buildpacks.h"

#include "io/file.h"

namespace skiff {

namespace {

constexpr const char* kInstalledBuildpacks = "/usr/share/skiff/buildpacks";

}  // namespace

std::string buildpacks_directory() {
  return io::path_exists(kInstalledBuildpacks) ? kInstalledBuildpacks
                                               : std::string(SKIFF_SOURCE_DIR) + "/buildpacks";
}

}  // namespace skiff
