// The stack layers of a build: Debian packages of a language that the node puts over the build and the run
// stack. bin/build names those that it needs (buildpacks/README.md); a pod has them by its image's name.
// What a build says of them is hostile input. Blocking, short.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace skiff::platform {

constexpr size_t kMostStackLayers = 8;  // of one build; there are as many languages

using LayerNames = std::vector<std::string>;  // sorted, each once

// One name a line: [a-z0-9]+.
Result<LayerNames> parse_layer_names(std::string_view text);
// From the file `name` that a build left in `folder`; none when there is no such file.
Result<LayerNames> read_layer_names(const std::string& folder, const std::string& name);
// Whether `all` has each of `some`.
bool has_layers(const LayerNames& all, const LayerNames& some);
std::string join_layers(const LayerNames& names, std::string_view between);
// "skiff.local/stack:build-node-ruby"
std::string build_image_name(const LayerNames& layers);

// What the last build of an app had, so that the next one begins with it. In DATA/platform/cache, where no
// build writes; none when it is not known. What is remembered is synced.
LayerNames recall_layers(const std::string& data, const std::string& app);
Result<void> remember_layers(const std::string& data, const std::string& app, const LayerNames& layers);

}  // namespace skiff::platform
