// The hook that makes a push a deployment. Pure.
//
// It is the same for all apps. Its settings are variables: SKIFF_SOCKET (the platform), SKIFF_MOST_REFS,
// SKIFF_MOST_SUBMODULES, and what the files of a commit may take together: SKIFF_BLOCKS of 512 bytes,
// SKIFF_SIZE in words.
#pragma once

#include <string>

namespace skiff::platform {

std::string hook_script();
// The hook behind a push: git has taken it, whatever comes of the release, and the pusher may leave. It waits
// for the dynos of what was deployed and shows what the platform says of them.
std::string rollout_hook_script();

}  // namespace skiff::platform
