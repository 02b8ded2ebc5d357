// Unpacks an image layer into a folder that overlayfs can stack. Blocking.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace skiff::node {

// How the bytes of a layer are packed: its media type says it, never the bytes, because whoever made the
// image chose those.
enum class Compression { kNone, kGzip, kZstd };

// What one layer may hold at most; the default is far more than what programs need.
struct LayerBounds {
  int64_t bytes = 10'000'000'000;  // of its files' contents, holes included; of a plain tar its own size
  int64_t entries = 1'000'000;
  int64_t folders = 16'000'000;  // in the paths of all entries: each is looked at, some microseconds long
};

// `blob` is a tar. Whiteouts become overlayfs's: a removed name a 0/0 character device, an opaque folder an
// attribute. An entry that would leave `folder`, through ".." or a symbolic link, is an error, and so is a
// layer over its bounds (ResourceExhausted); the caller then removes `folder`. Needs root for owners and
// devices.
Result<void> unpack_layer(const std::string& blob, Compression compression, const std::string& folder,
                          const LayerBounds& bounds = {});

}  // namespace skiff::node
