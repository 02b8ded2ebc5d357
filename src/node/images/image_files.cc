#include "node/images/image_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

#include "base/strings.h"
#include "io/file.h"
#include "io/inside.h"

namespace skiff::node {

namespace {

constexpr int kMaxLinks = 40;       // as the kernel's
constexpr int kMaxSteps = 1000;     // names looked up for one file
constexpr size_t kMaxLayers = 500;  // as overlayfs's

// One folder of the image: those of its path in the layers, the topmost first, that are seen through.
using Folder = std::vector<io::UniqueFd>;

// What a name is; nothing of all when it is not there.
struct Entry {
  Folder folder;
  std::string link;
  io::UniqueFd file;
};

bool is_opaque(int folder) {
  char value = 0;
  return ::fgetxattr(folder, "trusted.overlay.opaque", &value, 1) == 1 && value == 'y';
}

std::string read_link(int folder, const char* name) {
  std::string out(PATH_MAX, '\0');
  const ssize_t size = ::readlinkat(folder, name, out.data(), out.size());
  out.resize(size > 0 ? static_cast<size_t>(size) : 0);
  return out;
}

io::UniqueFd open_file(int folder, const char* name) {
  return io::UniqueFd(::openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

Entry look_up(const Folder& folder, const char* name) {
  Entry out;
  for (const auto& part : folder) {
    struct stat info{};
    if (::fstatat(part.get(), name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) continue;
      break;
    }
    if (!S_ISDIR(info.st_mode)) {
      if (!out.folder.empty()) break;
      if (S_ISLNK(info.st_mode)) out.link = read_link(part.get(), name);
      // A whiteout is a device: neither is anything to read.
      if (S_ISREG(info.st_mode)) out.file = open_file(part.get(), name);
      break;
    }
    io::UniqueFd below(
        ::openat(part.get(), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!below) break;
    const bool opaque = is_opaque(below.get());
    out.folder.push_back(std::move(below));
    if (opaque) break;
  }
  return out;
}

class Walk {
 public:
  explicit Walk(const std::vector<std::string>& layers) : layers_(layers) {}

  // The file's descriptor, or none.
  io::UniqueFd find(const std::string& path) {
    follow(path);
    while (!left_.empty() && steps_ < kMaxSteps && links_ <= kMaxLinks) {
      const std::string name = std::move(left_.back());
      left_.pop_back();
      if (name.empty() || name == ".") continue;
      if (name == "..") {
        go_up();
        continue;
      }
      Entry entry = step(name);
      if (!entry.link.empty()) {
        ++links_;
        follow(entry.link);
      } else if (!entry.folder.empty()) {
        names_.push_back(name);
        here_ = std::move(entry.folder);
      } else {
        return left_.empty() ? std::move(entry.file) : io::UniqueFd();
      }
    }
    return io::UniqueFd();
  }

 private:
  Entry step(const std::string& name) {
    ++steps_;
    return look_up(here_, name.c_str());
  }

  // What is left to walk is now this path, then what was left before.
  void follow(const std::string& path) {
    if (path.starts_with('/') || here_.empty()) go_to_root();
    const auto parts = split(path, '/');
    left_.insert(left_.end(), parts.rbegin(), parts.rend());
  }

  void go_to_root() {
    names_.clear();
    here_.clear();
    for (const auto& layer : layers_) {
      io::UniqueFd root(::open(layer.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      if (root) here_.push_back(std::move(root));
    }
  }

  // From the root again: a folder's ".." is that of its layer, not of the image.
  void go_up() {
    auto names = std::move(names_);
    if (!names.empty()) names.pop_back();
    go_to_root();
    for (const auto& name : names) here_ = step(name).folder;
    names_ = std::move(names);
  }

  const std::vector<std::string>& layers_;
  Folder here_;
  std::vector<std::string> names_;  // from the root to here, none of them a link
  std::vector<std::string> left_;   // to walk, the next one last
  int steps_ = 0, links_ = 0;
};

}  // namespace

std::optional<std::string> read_image_file(const std::vector<std::string>& layers, const std::string& path,
                                           size_t limit) {
  if (layers.size() > kMaxLayers) return std::nullopt;
  const io::UniqueFd file = Walk(layers).find(path);
  struct stat info{};
  if (!file || ::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  auto text = io::read_rest(file.get(), path, limit);
  if (!text) return std::nullopt;
  return std::move(*text);
}

}  // namespace skiff::node
