#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <vector>

#include "io/file.h"
#include "io/folder_stream.h"
#include "io/tree.h"

namespace skiff::io {

namespace {

constexpr size_t kMaxLevels = 16;  // folders held open at once
constexpr int kMaxPasses = 100;    // through a folder in which others make new entries as fast as we remove
constexpr const char* kMovedUp = ".skiff-removing-";

// Goes down at most kMaxLevels. A folder below that is moved up into the root of the tree, where a later pass
// finds it: so neither depth nor the length of paths matters, and no way leads up that others could bend.
// What can't be removed is left, and the rest goes on.
class Removal {
 public:
  explicit Removal(const std::string& path) : shown_(path) {}

  Result<void> run(int folder) {
    folder_ = folder;
    enter(folder, shown_.c_str());
    while (!levels_.empty()) {
      if (const dirent* entry = ::readdir(levels_.back().stream.get())) {
        if (!is_dots(entry->d_name)) remove_entry(::dirfd(levels_.back().stream.get()), entry->d_name);
      } else {
        leave();
      }
    }
    if (error_) return std::unexpected(*error_);
    return {};
  }

 private:
  struct Level {
    FolderStream stream;
    std::string name;  // in the folder above
    bool failed = false;
    int passes = 0;
    uint64_t done = 0, moved = 0;  // progress_ and moved_ when the pass began
  };

  void blame(int why, const char* what, const char* name) {
    std::string text = std::string(what) + " " + shown_;
    if (!levels_.empty()) text += std::string(levels_.size() > 1 ? "/…/" : "/") + name;
    if (!error_) error_ = fail_errno(why, text).error();
    if (!levels_.empty()) levels_.back().failed = true;
  }

  void blame_mount(const char* name) {
    std::string text = shown_ + (levels_.empty() ? "" : std::string("/…/") + name);
    if (!error_) error_ = fail(Code::kInvalidArgument, text + " is a mount; it is not removed").error();
    if (!levels_.empty()) levels_.back().failed = true;
  }

  void remove_entry(int parent, const char* name) {
    if (::unlinkat(parent, name, 0) == 0) {
      ++progress_;
      return;
    }
    if (errno == ENOENT) return;
    if (errno == EBUSY) return blame_mount(name);
    if (errno != EISDIR && errno != EPERM) return blame(errno, "remove", name);
    if (levels_.size() < kMaxLevels) return enter(parent, name);
    move_up(parent, name);
  }

  void enter(int parent, const char* name) {
    if (levels_.empty() && (::unlinkat(parent, name, 0) == 0 || errno == ENOENT)) return;
    const int refused = errno;
    auto stream = open_folder(parent, name);
    if (!stream) {
      if (errno == ENOENT) return;
      return blame(errno == ENOTDIR || errno == ELOOP ? refused : errno, "remove", name);
    }
    const auto facts = entry_facts(::dirfd(stream.get()), "");
    if (!facts) return blame(errno, "stat", name);
    if (levels_.empty()) mount_ = facts->mount;
    if (facts->mount != mount_ || facts->mount_root) return blame_mount(name);
    levels_.push_back({std::move(stream), name, false, 0, progress_, moved_});
  }

  void move_up(int parent, const char* name) {
    const int root = ::dirfd(levels_.front().stream.get());
    for (;;) {
      const std::string target = kMovedUp + std::to_string(moved_++);
      if (::renameat(parent, name, root, target.c_str()) == 0) {
        ++progress_;
        return;
      }
      if (errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR) continue;  // somebody has that name
      if (errno == ENOENT) return;
      return errno == EBUSY ? blame_mount(name) : blame(errno, "move", name);
    }
  }

  // At the end of a folder's entries.
  void leave() {
    Level& level = levels_.back();
    const bool root = levels_.size() == 1;
    const int parent = root ? folder_ : ::dirfd(levels_[levels_.size() - 2].stream.get());
    if (::unlinkat(parent, level.name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) {
      ++progress_;
      if (root) error_.reset();
      levels_.pop_back();
      return;
    }
    const int why = errno;
    const bool filled = why == ENOTEMPTY || why == EEXIST;
    const bool moved = root && level.moved != moved_;
    const bool again =
        level.done != progress_ && (root || !level.failed) && (moved || level.passes < kMaxPasses);
    if (filled && again) {
      // Entries that were moved up or made meanwhile; or, now that there is room, one that could not move.
      if (!moved) ++level.passes;
      level.moved = moved_;
      level.done = progress_;
      level.failed = false;
      if (root) error_.reset();
      ::rewinddir(level.stream.get());
      return;
    }
    const std::string name = level.name;
    levels_.pop_back();
    if (!levels_.empty()) levels_.back().failed = true;
    if (!error_) blame(why, "remove", name.c_str());
  }

  const std::string& shown_;
  int folder_ = AT_FDCWD;
  uint64_t mount_ = 0;
  uint64_t moved_ = 0;
  uint64_t progress_ = 0;  // entries removed or moved up
  std::vector<Level> levels_;
  std::optional<Error> error_;  // the first of this pass through the root
};

}  // namespace

Result<void> remove_tree(const std::string& path) {
  return Removal(path).run(AT_FDCWD);
}

Result<void> remove_tree_at(int folder, const std::string& name) {
  return Removal(name).run(folder);
}

}  // namespace skiff::io
