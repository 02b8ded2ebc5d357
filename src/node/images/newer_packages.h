// Whether Debian has newer packages than the stack: asked of the host's apt, in seconds, with the registries
// that dpkg left in the stack's layers.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "io/loop.h"
#include "io/task.h"
#include "node/images/layer_recipe.h"
#include "node/images/layer_store.h"

namespace skiff::node {

struct NewerPackages {
  std::string folder;  // for what apt fetches and is told
  std::string apt_get = "/usr/bin/apt-get";
};

// The registry of the base, and for each layer what it adds to it: together what dpkg would say.
io::Task<Result<std::vector<std::string>>> read_registries(io::Loop& loop, StackLayout layout,
                                                           std::vector<LayerRecipe> recipes);
// What apt must know of before it is asked. An error has apt's own words.
io::Task<Result<void>> fetch_package_lists(io::Loop& loop, NewerPackages apt);
// Whether apt would upgrade something of the base, which is the first one, or of a layer over it.
io::Task<Result<bool>> has_newer_packages(io::Loop& loop, NewerPackages apt,
                                          std::vector<std::string> registries);

}  // namespace skiff::node
