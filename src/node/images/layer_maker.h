// Makes a stack layer: apt installs a recipe's packages over the unpacked base, and what changed becomes two
// tars, one for apps and one more for builds.
//
// Layers of different languages stack in any combination, so a layer has no files that each of them would
// bring: the packages' registry, caches, accounts (docs/decisions/0050-stack-layers.md). What it adds to the
// registry is noted in usr/share/skiff/layers/NAME: status-run and status-build are dpkg's stanzas,
// run-programs the programs that its run set adds.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "io/loop.h"
#include "io/task.h"
#include "node/images/layer_recipe.h"

namespace skiff::node {

using TellLayer = std::function<void(const std::string& message)>;  // for people; called on the loop

struct LayerGround {
  std::string run_base, build_base;  // the base's folders as overlayfs's lowerdir, topmost first
  std::string work;                  // an empty folder, which holds what is made
  std::string unshare = "/usr/bin/unshare";
};
struct LayerTars {
  std::string run;  // "" when the run set is empty
  std::string build;
};

// As root, with the network. Dropped or killed, it ends with all its processes and mounts. An error says
// which layer, and what apt said.
io::Task<Result<LayerTars>> make_layer(io::Loop& loop, LayerRecipe recipe, LayerGround ground,
                                       TellLayer tell);

// Pure parts.
// What people are told of a line that the script prints; "" for most.
std::string describe_layer_words(const std::string& layer, const std::string& line);
// Of the last lines those that say what went wrong.
std::string pick_apt_error(const std::string& lines);

}  // namespace skiff::node
