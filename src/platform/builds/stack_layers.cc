#include "platform/builds/stack_layers.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>

#include "base/strings.h"
#include "io/file.h"
#include "io/inside.h"

namespace skiff::platform {

namespace {

constexpr const char* kBuildImage = "skiff.local/stack:build";
constexpr size_t kMostNameBytes = 32;    // of a layer
constexpr size_t kMostFileBytes = 4096;  // of a file with names
constexpr std::string_view kNameLetters = "abcdefghijklmnopqrstuvwxyz0123456789";

std::string record_path(const std::string& data, const std::string& app) {
  return data + "/cache/" + app + ".layers";
}

}  // namespace

Result<LayerNames> parse_layer_names(std::string_view text) {
  LayerNames names;
  for (auto& name : split(text, '\n')) {
    if (name.empty()) continue;
    if (name.size() > kMostNameBytes || name.find_first_not_of(kNameLetters) != name.npos) {
      return fail(
          Code::kInvalidArgument,
          "a buildpack's bin/layers or run-layers names no stack layer: its names are of a-z and 0-9");
    }
    names.push_back(std::move(name));
  }
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  if (names.size() > kMostStackLayers) {
    return fail(Code::kInvalidArgument, fmt::format("the buildpacks ask for {} stack layers, more than {}",
                                                    names.size(), kMostStackLayers));
  }
  return names;
}

Result<LayerNames> read_layer_names(const std::string& folder, const std::string& name) {
  auto file = io::open_regular(folder, name);
  if (!file && file.error().code == Code::kNotFound) return LayerNames{};
  if (!file) return fail(Code::kInvalidArgument, "the build left something else than a file " + name);
  auto text = io::read_rest(file->fd.get(), name, kMostFileBytes);
  if (!text) return fail(Code::kInvalidArgument, "the build left a file " + name + " that is too large");
  return parse_layer_names(*text);
}

bool has_layers(const LayerNames& all, const LayerNames& some) {
  return std::ranges::includes(all, some);
}

std::string join_layers(const LayerNames& names, std::string_view between) {
  std::string out;
  for (const auto& name : names) {
    if (!out.empty()) out += between;
    out += name;
  }
  return out;
}

std::string build_image_name(const LayerNames& layers) {
  return layers.empty() ? kBuildImage : fmt::format("{}-{}", kBuildImage, join_layers(layers, "-"));
}

LayerNames recall_layers(const std::string& data, const std::string& app) {
  auto text = io::read_file(record_path(data, app));
  if (!text) return {};
  return parse_layer_names(*text).value_or(LayerNames{});
}

Result<void> remember_layers(const std::string& data, const std::string& app, const LayerNames& layers) {
  if (recall_layers(data, app) == layers) return {};
  return io::write_file_atomic(record_path(data, app), join_layers(layers, "\n"));
}

}  // namespace skiff::platform
