// Folder trees that others made, of any depth and width: how much of the disk they take. Removing them is
// remove_tree() of file.h, or remove_tree_at() where the way to them is not to be trusted. Blocking: for
// run_blocking().
//
// Both walk by descriptors, never by paths, so that names beyond PATH_MAX are reached and links not followed;
// they hold a few descriptors and a few bytes a level whatever the tree, stay on the mount they began on, and
// bear that the tree changes meanwhile.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "base/result.h"

namespace skiff::io {

struct TreeUse {
  // On disk: the blocks of files, links and folders, as du counts. A file with several names is shared out
  // among them. What was removed but is still open is not seen.
  int64_t bytes = 0;
  int64_t entries = 0;  // names, the folder's own included
  // From the names, kinds, modes, owners and sizes of all entries, whatever their order on the disk: another
  // number says that one of them has changed. Not of contents, and not against forgery.
  uint64_t shape = 0;
  bool too_many = false;  // more entries than were to be counted: the walk ended early
  bool too_deep = false;  // more levels than are counted (kMaxCountedLevels): there is more
};
constexpr size_t kMaxCountedLevels = size_t{1}
                                     << 18;  // 32 bytes of memory each; on ext4 a gigabyte of folders

// Of the file or the folder and all below it; nothing when it does not exist. Folders that are moved while
// they are read, more than a few levels down, may be left out. `most` bounds the walk: names cost whoever
// makes them little, as one file may have many.
TreeUse measure_tree(const std::string& path, int64_t most = std::numeric_limits<int64_t>::max());
// remove_tree() of a name in a folder that is held open.
Result<void> remove_tree_at(int folder, const std::string& name);

}  // namespace skiff::io
