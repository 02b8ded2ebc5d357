// Writes the image of a release: the run stack's layers and one layer with the app, as an OCI image layout
// (opencontainers/image-spec 1.1). Blocking: for run_blocking().
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace skiff::platform {

struct AppImage {
  std::string images;        // folder of layouts; the stack's is <images>/stack
  std::string app;           // the layout is <images>/<app>
  std::string tag;           // "v3"
  std::string layer_tar;     // an uncompressed tar; moved into the layout
  std::string layer_digest;  // "sha256:…" of that tar
};
// The digest of the image's manifest.
Result<std::string> write_app_image(const AppImage& image);
// Whether the image of a release, "skiff.local/shop:3f2a", was not pruned.
bool has_app_image(const std::string& images, std::string_view image);
// Tags of an app's layout beyond the newest `keep` are dropped, with the blobs that nothing names then.
Result<void> prune_app_images(const std::string& images, const std::string& app, size_t keep);

// Removes an app's layout, for which no pod of the app may be left.
Result<void> remove_app_images(const std::string& images, const std::string& app);

}  // namespace skiff::platform
