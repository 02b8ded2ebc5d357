#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "io/folder_stream.h"
#include "io/tree.h"

namespace skiff::io {

namespace {

constexpr size_t kHeldLevels =
    16;  // whose descriptors stay open: a tree that moves below them is found again
constexpr int64_t kBlockBytes = 512;

uint64_t mix(uint64_t seed, uint64_t value) {
  uint64_t out = (seed ^ value) * 0x9e3779b97f4a7c15;
  out = (out ^ (out >> 29)) * 0xbf58476d1ce4e5b9;
  return out ^ (out >> 32);
}

// Of an entry, given its folder's.
uint64_t entry_shape(uint64_t above, const char* name, const EntryFacts& facts) {
  uint64_t out = mix(above, facts.mode);
  for (const uint64_t value : {uint64_t{facts.user}, uint64_t{facts.group}, facts.size, facts.device})
    out = mix(out, value);
  for (const char* c = name; *c != '\0'; ++c) out = mix(out, static_cast<unsigned char>(*c));
  return out;
}

// Goes down by names and, below the levels whose streams it holds, up by "..", which must be the folder that
// it came from.
class Walk {
 public:
  Walk(TreeUse& use, int64_t most) : use_(use), most_(most) {}

  void run(FolderStream root, const EntryFacts& facts) {
    mount_ = facts.mount;
    push(std::move(root), facts.inode, 0);
    while (!levels_.empty() && !use_.too_many) {
      if (const dirent* entry = ::readdir(stream())) {
        if (!is_dots(entry->d_name)) visit(*entry);
      } else {
        go_up();
      }
    }
  }

 private:
  struct Level {
    uint64_t inode;
    uint64_t shape;
    long resume;  // where its stream goes on after the folder below
    FolderStream held;
  };

  DIR* stream() const { return loose_ ? loose_.get() : levels_.back().held.get(); }

  void push(FolderStream stream, uint64_t inode, uint64_t shape) {
    const bool hold = levels_.size() < kHeldLevels;
    levels_.push_back({inode, shape, 0, hold ? std::move(stream) : nullptr});
    loose_ = std::move(stream);
  }

  void visit(const dirent& entry) {
    const int folder = ::dirfd(stream());
    const auto facts = entry_facts(folder, entry.d_name);
    if (!facts || facts->mount != mount_ || facts->mount_root) return;
    if (use_.entries >= most_) {
      use_.too_many = true;
      return;
    }
    ++use_.entries;
    const auto names = facts->folder ? 1 : static_cast<int64_t>(std::max<uint64_t>(facts->links, 1));
    use_.bytes += static_cast<int64_t>(facts->blocks) * kBlockBytes / names;
    const uint64_t shape = entry_shape(levels_.back().shape, entry.d_name, *facts);
    use_.shape += shape;
    if (!facts->folder) return;
    if (levels_.size() >= kMaxCountedLevels) {
      use_.too_deep = true;
      return;
    }
    levels_.back().resume = entry.d_off;
    auto below = open_folder(folder, entry.d_name);
    if (!below) return;
    const auto opened = entry_facts(::dirfd(below.get()), "");
    if (opened && opened->inode == facts->inode && opened->mount == mount_)
      push(std::move(below), opened->inode, shape);
  }

  void go_up() {
    levels_.pop_back();
    if (levels_.empty() || levels_.back().held) {
      loose_.reset();
      return;
    }
    auto above = open_folder(::dirfd(loose_.get()), "..");
    const auto facts = above ? entry_facts(::dirfd(above.get()), "") : std::nullopt;
    if (facts && facts->inode == levels_.back().inode && facts->mount == mount_) {
      ::seekdir(above.get(), levels_.back().resume);
      loose_ = std::move(above);
      return;
    }
    // Moved away under us: on with the deepest folder that is held.
    levels_.resize(kHeldLevels);
    loose_.reset();
  }

  TreeUse& use_;
  const int64_t most_;
  uint64_t mount_ = 0;
  std::vector<Level> levels_;
  FolderStream loose_;  // the deepest level's, when that is not held
};

}  // namespace

TreeUse measure_tree(const std::string& path, int64_t most) {
  TreeUse use;
  const auto named = entry_facts(AT_FDCWD, path.c_str());
  if (!named) return use;
  if (most < 1) {
    use.too_many = true;
    return use;
  }
  use.entries = 1;
  use.bytes = static_cast<int64_t>(named->blocks) * kBlockBytes;
  if (!named->folder) return use;
  auto root = open_folder(AT_FDCWD, path.c_str());
  const auto facts = root ? entry_facts(::dirfd(root.get()), "") : std::nullopt;
  if (facts) Walk(use, most).run(std::move(root), *facts);
  return use;
}

}  // namespace skiff::io
