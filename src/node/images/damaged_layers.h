// Layers that are damaged, or that no image has, while containers may stand on them. A container's "/" is an
// overlay of layers, mounted where only its own processes see it: renaming a layer leaves it as it is,
// removing the files takes them from under the container. Blocking: for run_blocking().
#pragma once

#include <set>
#include <string>

#include "base/result.h"
#include "node/runtime/node_paths.h"

namespace skiff::node {

// Names of the layers below the overlays of living processes, whichever instance's: the mounts don't tell.
Result<std::set<std::string>> mounted_layers();

// Frees the layer's name; its files stay until remove_damaged_layers().
Result<void> set_damaged_aside(const NodePaths& paths, const std::string& layer);
// Of the layers that were set aside, removes those on which nothing of this run of the machine stands. One
// whose new self is mounted stays too, for the mounts say only the name.
Result<void> remove_damaged_layers(const NodePaths& paths);

}  // namespace skiff::node
