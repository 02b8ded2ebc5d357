// Unpacks an image layer into a folder that overlayfs can stack. Blocking.
#pragma once

#include <string>

#include "base/result.h"

namespace skiff::node {

// `blob` is a tar, plain or compressed (gzip, zstd, xz). Whiteouts become overlayfs's: a removed name a 0/0
// character device, an opaque folder an attribute. An entry that would leave `folder`, through ".." or a
// symbolic link, is an error. Needs root for owners and devices.
Result<void> unpack_layer(const std::string& blob, const std::string& folder);

// The size of what is below, in bytes on disk.
int64_t tree_bytes(const std::string& folder);

}  // namespace skiff::node
