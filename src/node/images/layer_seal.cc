#include "node/images/layer_seal.h"

#include <unistd.h>

#include "io/file.h"
#include "io/tree.h"

namespace skiff::node {

namespace {

std::string seals(const NodePaths& paths) {
  return paths.images() + "/seals";
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

}  // namespace skiff::node
