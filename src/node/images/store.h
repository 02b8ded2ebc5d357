// The images on this node: layers unpacked once each, and a record for each name. Blocking members are for
// run_blocking(); the records in memory belong to the loop's thread.
//
// A layer's folder appears under its final name by a rename when it is whole and on the disk, so a crash
// leaves at most a temporary folder, which open() removes. A layer that was damaged later is made again when
// its image is next asked for (layer_seal.h), and its files stay while containers stand on it
// (damaged_layers.h).
#pragma once

#include <map>
#include <set>

#include "node/images/image_service.h"
#include "node/images/layout.h"
#include "node/runtime/node_paths.h"

namespace skiff::node {

// What an agent that was killed left may be large: it is renamed, so that nobody meets it, and removed later.
// Blocking, the second as long as it takes.
Result<void> set_leftover_aside(const NodePaths& paths, const std::string& path);
Result<void> remove_leftovers(const NodePaths& paths);

class ImageStore {
 public:
  explicit ImageStore(NodePaths paths) : paths_(std::move(paths)) {}
  // Reads the records. Blocking, once.
  Result<void> open();

  std::optional<Image> find(const std::string& canonical) const;
  std::vector<Image> list() const;
  // Remembers an image whose layers are unpacked: on disk (blocking), then in memory.
  Result<void> write(const std::string& canonical, const Image& image) const;
  void add(const std::string& canonical, Image image) { images_[canonical] = std::move(image); }
  // Forgets names; set_unused_aside() then frees their layers. Blocking.
  Result<void> forget(const std::string& canonical);
  // Those of the images.
  std::set<std::string> layers() const;
  // Takes layers that no image has, and no container either (mounted_layers()), out of the store, for
  // remove_leftovers(). Nothing may be unpacking. Each is tried; the first error is returned.
  Result<void> set_unused_aside(const std::set<std::string>& mounted);

  // Unpacks the missing and the damaged layers of an image in a layout. Static: takes no part in the records.
  // Blocking.
  static Result<Image> unpack_image(const NodePaths& paths, const std::string& layout,
                                    const LayoutImage& image);
  // Whether nothing of the image's layers is damaged; walks them. Blocking.
  static bool is_whole(const NodePaths& paths, const Image& image);
  // A file of the image as its containers see it (image_files.h): for /etc/passwd and /etc/group. Blocking.
  static std::optional<std::string> read_file(const NodePaths& paths, const Image& image,
                                              const std::string& path);

 private:
  std::string record_path(const std::string& canonical) const;
  NodePaths paths_;
  std::map<std::string, Image> images_;
};

}  // namespace skiff::node
