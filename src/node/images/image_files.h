// A file of an image as a container would find it: layers stacked, whiteouts obeyed, and links followed as if
// the image's root were the machine's. Whoever made the image chose its links, so none of them is ever
// followed by the kernel: each name is looked up by itself, in folders held open. Blocking.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace skiff::node {

// `layers` are folders, the topmost first. Nothing when there is no regular file of at most `limit` bytes at
// the path.
std::optional<std::string> read_image_file(const std::vector<std::string>& layers, const std::string& path,
                                           size_t limit);

}  // namespace skiff::node
