// Writing an OCI image layout: how local images come to be. Blocking.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "node/images/image_service.h"

namespace skiff::node {

// A layer as a tar file, whose place it takes by a rename, or one that the layout (or the node's store) has
// already.
struct LayerSource {
  std::string tar;     // "" when `digest` is given
  std::string digest;  // "sha256:…"
};

// Adds the image under `tag`, replacing what had that tag; gives the layers' digests. The index is replaced
// as one step, so that readers see the old or the new image.
Result<std::vector<std::string>> write_layout(const std::string& folder, const std::string& tag,
                                              const ImageConfig& config,
                                              const std::vector<LayerSource>& layers);

// Takes the tags that `keep` does not want off the layout, and the blobs that no tag needs then. For who
// alone changes the layout.
Result<void> prune_layout(const std::string& folder, const std::function<bool(const std::string& tag)>& keep);

// "sha256:…" of the file's bytes.
Result<std::string> file_digest(const std::string& path);

}  // namespace skiff::node
