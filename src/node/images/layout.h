// Reading an OCI image layout (opencontainers/image-spec 1.1): index, manifest, configuration. Blocking.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "node/images/image_service.h"

namespace skiff::node {

struct LayoutImage {
  std::string config_digest;  // "sha256:…"
  ImageConfig config;
  std::vector<std::string> layers;  // digests, lowest first
};

// The image whose annotation org.opencontainers.image.ref.name is `tag` ("" takes the only one). NotFound.
Result<LayoutImage> read_layout(const std::string& folder, const std::string& tag);
std::string blob_path(const std::string& folder, const std::string& digest);
// Whether the file's bytes have that digest.
Result<void> verify_blob(const std::string& path, const std::string& digest);
// From the "config" member of an image configuration.
ImageConfig parse_image_config(const json::Value& config);

}  // namespace skiff::node
