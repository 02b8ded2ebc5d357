#include "platform/git/repository_care.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <string_view>

#include "base/log.h"
#include "io/folder_stream.h"
#include "io/tree.h"
#include "platform/builds/limits.h"

namespace skiff::platform {

namespace {

constexpr int kMaxRefLevels = 64;  // of folders below refs that are looked at for lock files

enum class Place { kTop, kObjects, kPacks, kLoose, kRefs };

bool is_leftover(Place place, std::string_view name) {
  switch (place) {
    case Place::kObjects:
      return name.starts_with("tmp_objdir-") || name.starts_with("incoming-") || name.starts_with("tmp_obj_");
    case Place::kPacks:
      return name.starts_with("tmp_") || name.starts_with(".tmp-");
    case Place::kLoose:
      return name.starts_with("tmp_obj_");
    case Place::kTop:
      return name.ends_with(".lock") || name == "gc.pid";
    case Place::kRefs:
      return name.ends_with(".lock");
  }
  return false;
}

// Where the entries of a folder called `name` lie, when it is gone into.
std::optional<Place> place_below(Place place, std::string_view name) {
  constexpr size_t kFanOut = 2;  // digits
  if (place == Place::kTop && name == "objects") return Place::kObjects;
  if (place == Place::kTop && name == "refs") return Place::kRefs;
  if (place == Place::kObjects && name == "pack") return Place::kPacks;
  if (place == Place::kObjects && name.size() == kFanOut) return Place::kLoose;
  if (place == Place::kRefs) return Place::kRefs;
  return std::nullopt;
}

class Cleaning {
 public:
  explicit Cleaning(WallTime before) : before_(before) {}

  int clean(int parent, const char* name, Place place, int levels) {
    const auto folder = io::open_folder(parent, name);
    if (!folder) return 0;
    const int fd = ::dirfd(folder.get());
    int removed = 0;
    while (const dirent* entry = ::readdir(folder.get())) {
      if (io::is_dots(entry->d_name)) continue;
      if (is_leftover(place, entry->d_name)) {
        removed += remove(fd, entry->d_name);
      } else if (const auto below = place_below(place, entry->d_name); below && levels > 0) {
        removed += clean(fd, entry->d_name, *below, levels - 1);
      }
    }
    return removed;
  }

 private:
  int remove(int folder, const char* name) const {
    const auto facts = io::entry_facts(folder, name);
    if (!facts || facts->modified >= before_) return 0;
    auto removed = io::remove_tree_at(folder, name);
    if (!removed) log_warn("git's leftover stays", {{"error", removed.error().message}});
    return removed ? 1 : 0;
  }
  WallTime before_;
};

}  // namespace

int remove_git_leftovers(const std::string& repository, WallTime before) {
  return Cleaning(before).clean(AT_FDCWD, repository.c_str(), Place::kTop, kMaxRefLevels);
}

Result<void> check_repository_size(const std::string& repository, int64_t megabytes) {
  const int64_t used = io::measure_tree(repository).bytes >> 20;
  if (used <= megabytes) return {};
  return fail(
      Code::kResourceExhausted,
      fmt::format("the app's repository takes {} MB here, more than {}: destroy the app and create it "
                  "again, and leave large files out of its history",
                  used, describe_megabytes(megabytes)));
}

}  // namespace skiff::platform
