// The recipe of a stack layer: the Debian packages of a language, in a file of its name in the folder
// buildpacks/layers.
//
//   # Node.js and npm of Debian
//   build: nodejs npm
//   run: nodejs
//
// Builds get both sets, apps the run set. Either may be empty. And the images that are made of layers, by
// their tags.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace skiff::node {

struct LayerRecipe {
  std::string name;                     // [a-z0-9]+
  std::vector<std::string> build, run;  // packages, sorted, each once
};

// Strict: a line that is not understood is an error, which names file and line.
Result<LayerRecipe> parse_layer_recipe(const std::string& name, std::string_view text);
// The recipe `folder`/`name`; NotFound, with the names that are there.
Result<LayerRecipe> read_layer_recipe(const std::string& folder, const std::string& name);
// The names of the recipes in a folder, sorted.
std::vector<std::string> list_layer_recipes(const std::string& folder);
bool is_layer_name(std::string_view name);

// "build-node-ruby", "run-node"
struct StackTag {
  enum class Set { kRun, kBuild };
  Set set = Set::kRun;
  std::vector<std::string> layers;
};
// InvalidArgument for tags that are neither "run", "build" nor layers' names after one of them, sorted, each
// once.
Result<StackTag> parse_stack_tag(const std::string& tag);

}  // namespace skiff::node
