// Writes the image of a release: the run stack's layers, those that its language needs (the last ones of the
// stack's tags run-NAME), and layers with the app, as an OCI image layout
// (opencontainers/image-spec 1.1). Blocking: for run_blocking().
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace skiff::platform {

constexpr size_t kKeptImages = 10;

// In each layout of an app, with its name: whatever else lies beside it is not the platform's to remove, and
// the node lets only pods of the namespace of that name run what is in it (node/images/local_images.h).
constexpr const char* kAppMark = "/skiff-app";

struct AppLayer {
  std::string digest;  // "sha256:…" of an uncompressed tar
  int64_t bytes = 0;
  std::string tar;  // moved into the layout; "" when the layout has it (has_blob())
};
struct AppImage {
  std::string images;                          // folder of layouts; the stack's is <images>/stack
  std::string app;                             // the layout is <images>/<app>
  std::string tag;                             // "v3"
  std::vector<AppLayer> layers;                // the lowest first
  std::vector<std::string> stack_layers = {};  // "node": over the run stack
};
// Whether the layout of an app has these bytes already. They stay while nobody prunes its images.
bool has_blob(const std::string& images, const std::string& app, const std::string& digest, int64_t bytes);
// The digest of the image's manifest.
Result<std::string> write_app_image(const AppImage& image);
// "skiff.local/shop:3f2a"
std::string app_image_name(const std::string& app, const std::string& tag);
// Whether the image of a release was not pruned.
bool has_app_image(const std::string& images, std::string_view image);
// The newest kKeptImages of an app's images are kept, and those whose names are in `used`. The others are
// dropped, with the blobs that nothing names then.
Result<void> prune_app_images(const std::string& images, const std::string& app,
                              const std::set<std::string>& used);

// Makes the images of the app `from` those of `to`, too; what `to` has of them already stays. Fine when there
// are none.
Result<void> copy_app_images(const std::string& images, const std::string& from, const std::string& to);
// Removes an app's layout, for which no pod of the app may be left.
Result<void> remove_app_images(const std::string& images, const std::string& app);

}  // namespace skiff::platform
