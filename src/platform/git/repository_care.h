// What git leaves in a repository when it is killed, and how large a repository may be. The repository
// belongs to git's user: it is walked by descriptors, without following links. Blocking: for run_blocking().
#pragma once

#include <string>

#include "base/result.h"
#include "base/time.h"

namespace skiff::platform {

// Removes what pushes, repacking and updates of references that were cut have left and that was last written
// before `before`: quarantines of packs, half packs, lock files, which would refuse each later push. Only
// while no git works on the repository. How many there were.
int remove_git_leftovers(const std::string& repository, WallTime before);

// An error for the pusher when the repository is over its bound.
Result<void> check_repository_size(const std::string& repository, int64_t megabytes);

}  // namespace skiff::platform
