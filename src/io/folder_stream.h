// Folders as open streams of names, for walks by descriptors through trees of others (tree.h). Blocking.
#pragma once

#include <dirent.h>
#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "base/time.h"

namespace skiff::io {

struct StreamCloser {
  void operator()(DIR* stream) const { ::closedir(stream); }
};
using FolderStream = std::unique_ptr<DIR, StreamCloser>;

// Opens a folder, not a link to one. Empty, with errno, on failure.
FolderStream open_folder(int parent, const char* name);

// What is needed of an entry, without following it.
struct EntryFacts {
  bool folder = false;
  uint64_t inode = 0;
  uint64_t mount = 0;  // the mount it lies on; its device where the kernel tells no mounts
  bool mount_root = false;
  uint64_t links = 1;
  uint32_t mode = 0, user = 0, group = 0;
  uint64_t size = 0, device = 0;  // of a file; the number of a device
  uint64_t blocks = 0;            // of 512 bytes
  WallTime modified{};            // its bytes, or its list of names
};
// With name "" of the descriptor itself. Nothing, with errno, on failure.
std::optional<EntryFacts> entry_facts(int parent, const char* name);

bool is_dots(const char* name);

}  // namespace skiff::io
