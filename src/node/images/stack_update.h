// `skiff stack:update`: makes the stack and its layers anew from today's packages, when there are newer ones.
//
// All is made beside what is there, in a folder of its own; the instance's layout is then replaced in one
// step, so that a cut or a kill leaves the old stack or the new one. What runs stays: its layers are unpacked
// in the node's store, and each app's layout has the blobs that its images name.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "io/loop.h"
#include "io/task.h"
#include "node/images/package_changes.h"
#include "node/images/stack.h"

namespace skiff::node {

struct StackUpdateOptions {
  StackOptions stack;   // of the instance, up or down; its `work` is the update's own
  std::string recipes;  // folder of the recipes of stack layers
  std::string machine_layers;
  std::string apt_get = "/usr/bin/apt-get";
};

// What has changed; nothing: nothing was replaced. As root, with the network. Unavailable when the instance
// has no stack yet.
io::Task<Result<std::vector<PackageChange>>> update_stack(io::Loop& loop, StackUpdateOptions options);
// What an update that was killed left, unless one goes on. Blocking.
Result<void> remove_update_leftovers(const StackOptions& options);

}  // namespace skiff::node
