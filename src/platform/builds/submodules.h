// The submodules of a pushed commit. Pure.
//
// The push hook sends what the commit itself says of them, "COMMIT PATH" one a line; .gitmodules, which says
// where they are, is a file of the source. Both come from whoever pushes. The build fetches them, in its pod
// (buildpacks/lib/submodules.py); nothing on the host does.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace skiff::platform {

constexpr size_t kMaxSubmodules = 100;           // of a commit; also of all that a build fetches
constexpr size_t kMaxSubmoduleBytes = 64 << 10;  // of their lines
constexpr size_t kMaxSubmodulePath = 1024;       // bytes

struct Submodule {
  std::string commit, path;

  friend bool operator==(const Submodule&, const Submodule&) = default;
};

// In the commit's order. An error says which path can't be fetched to, or that they are too many.
Result<std::vector<Submodule>> parse_submodules(std::string_view lines);
std::string encode_submodules(const std::vector<Submodule>& submodules);

}  // namespace skiff::platform
