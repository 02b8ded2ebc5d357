// What a volumeMount's subPath names. Containers may write symbolic links into their volumes, so it is only
// ever reached through descriptors that the kernel keeps below the volume. Blocking.
#pragma once

#include <string>

#include "base/result.h"
#include "io/file.h"

namespace skiff::node {

// A path-only descriptor of what `sub_path` names below `volume`. Missing folders are made, the last one for
// everybody. Forbidden when the path leaves the volume; nothing is then made outside.
Result<io::UniqueFd> open_sub_path(const std::string& volume, const std::string& sub_path);

}  // namespace skiff::node
