#include "node/images/layer_seal.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/log.h"
#include "io/durable.h"
#include "io/file.h"
#include "io/tree.h"

namespace skiff::node {

namespace {

constexpr const char* kPartial = ".partial";

std::string seals(const NodePaths& paths) {
  return paths.images() + "/seals";
}

namespace fs = std::filesystem;

// The layers without a file that common tools make, packed and not: for them nothing is what there should be.
constexpr const char* kEmptyLayers[] = {
    "4f4fb700ef54461cfa02571ae0db9a0dc1e0cdb5577484a6d75e68dc38e8acc1",
    "a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4",
    "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef",
    "84ff92691f909a05b224e1c56abb4864f01b4f8e3c854e4bb4c7baf1d3f6d652",
};

// Programs, wherever they lie, and libraries have bytes; of other files an empty one may be meant.
bool must_have_bytes(const fs::path& file) {
  constexpr auto kExecute = fs::perms::owner_exec | fs::perms::group_exec | fs::perms::others_exec;
  const std::string folder = file.parent_path().filename(), name = file.filename();
  std::error_code vanished;
  if ((fs::status(file, vanished).permissions() & kExecute) != fs::perms::none && !vanished) return true;
  return folder == "bin" || folder == "sbin" || name.ends_with(".so") ||
         name.find(".so.") != std::string::npos;
}

bool is_visibly_damaged(const std::string& folder) {
  size_t entries = 0, files = 0, empty = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    ++entries;
    std::error_code vanished;
    if (at->is_symlink(vanished) || !at->is_regular_file(vanished)) continue;
    ++files;
    if (at->file_size(vanished) != 0) continue;
    ++empty;
    if (must_have_bytes(at->path())) return true;
  }
  return error || entries == 0 || (files > 1 && empty == files);
}

std::string seal_text(const std::string& folder) {
  const io::TreeUse use = io::measure_tree(folder);
  return std::to_string(use.entries) + " " + std::to_string(use.shape) + "\n";
}

}  // namespace

Result<void> seal_layer(const NodePaths& paths, const std::string& layer, const std::string& folder) {
  SKIFF_RETURN_IF_ERROR(io::make_directories(seals(paths)));
  return io::write_file_atomic(seals(paths) + "/" + layer, seal_text(folder));
}

bool layer_is_whole(const NodePaths& paths, const std::string& layer) {
  const std::string folder = paths.layers() + "/" + layer;
  const auto seal = io::read_file(seals(paths) + "/" + layer);
  return seal && io::path_exists(folder) && *seal == seal_text(folder);
}

void forget_seal(const NodePaths& paths, const std::string& layer) {
  ::unlink((seals(paths) + "/" + layer).c_str());
}

void sweep_seals(const NodePaths& paths) {
  io::sweep_unpublished(seals(paths));
  if (auto removed = io::remove_tree(seals(paths) + kPartial); !removed)
    log_warn("records of layers that were never used stay", {{"error", removed.error().message}});
}

Result<void> seal_old_layers(const NodePaths& paths, const std::set<std::string>& layers) {
  if (io::path_exists(seals(paths))) return {};
  // All of them or none, for a start that is cut short must find that there is still something to do.
  const std::string partial = seals(paths) + kPartial;
  SKIFF_RETURN_IF_ERROR(io::remove_tree(partial));
  SKIFF_RETURN_IF_ERROR(io::make_directories(partial));
  for (const auto& layer : layers) {
    const std::string folder = paths.layers() + "/" + layer;
    if (std::ranges::find(kEmptyLayers, layer) == std::end(kEmptyLayers) && is_visibly_damaged(folder)) {
      log_warn("an image layer of an older version is damaged; it is made again", {{"layer", layer}});
      continue;
    }
    SKIFF_RETURN_IF_ERROR(io::write_file_atomic(partial + "/" + layer, seal_text(folder)));
  }
  return io::publish(partial, seals(paths));
}

}  // namespace skiff::node
