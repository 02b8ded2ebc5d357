// Reading an OCI image layout (opencontainers/image-spec 1.1): index, manifest, configuration. Blocking.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "node/images/image_service.h"
#include "node/images/unpack.h"

namespace skiff::node {

struct LayoutLayer {
  std::string digest;
  Compression compression = Compression::kNone;
};

struct LayoutImage {
  std::string config_digest;  // "sha256:…"
  ImageConfig config;
  std::vector<LayoutLayer> layers;  // lowest first
};

// The image whose annotation org.opencontainers.image.ref.name is `tag` ("" takes the only one). NotFound.
Result<LayoutImage> read_layout(const std::string& folder, const std::string& tag);
// Whether the blobs of its layers are there, too.
bool has_blobs(const std::string& folder, const LayoutImage& image);
// What a layer's media type says of its bytes, in OCI's and in Docker's words; DataLoss for other types.
Result<Compression> layer_compression(const std::string& media_type);
std::string blob_path(const std::string& folder, const std::string& digest);
// Whether the file's bytes have that digest.
Result<void> verify_blob(const std::string& path, const std::string& digest);
// From the "config" member of an image configuration.
ImageConfig parse_image_config(const json::Value& config);

}  // namespace skiff::node
