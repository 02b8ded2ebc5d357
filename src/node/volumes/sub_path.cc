#include "node/volumes/sub_path.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/strings.h"
#include "io/inside.h"

namespace skiff::node {

namespace {

int open_below(int folder, const char* path, int flags) {
  return io::open_below(folder, path, flags, io::Links::kFollow);
}

std::unexpected<Error> leaves_volume(int why, const std::string& sub_path) {
  if (why == EXDEV || why == ELOOP) return fail(Code::kForbidden, "subPath leaves its volume: " + sub_path);
  return fail_errno(why, "open subPath " + sub_path);
}

// Makes one folder in `parent`, or opens the one that is there.
Result<io::UniqueFd> enter_folder(int parent, const std::string& name, mode_t mode,
                                  const std::string& sub_path) {
  const bool made = ::mkdirat(parent, name.c_str(), mode) == 0;
  if (!made && errno != EEXIST) return fail_errno(errno, "make subPath " + sub_path);
  io::UniqueFd folder(open_below(parent, name.c_str(), O_RDONLY | O_DIRECTORY | (made ? O_NOFOLLOW : 0)));
  if (!folder) return leaves_volume(errno, sub_path);
  // Through the descriptor: the name may be a link by now. The umask took bits off.
  if (made && ::fchmod(folder.get(), mode) != 0) return fail_errno(errno, "chmod subPath " + sub_path);
  return folder;
}

Result<void> make_folders(io::UniqueFd folder, const std::string& sub_path) {
  std::vector<std::string> names;
  for (const auto& name : split(sub_path, '/')) {
    if (!name.empty() && name != ".") names.push_back(name);
  }
  for (size_t i = 0; i < names.size(); ++i) {
    auto next = enter_folder(folder.get(), names[i], i + 1 == names.size() ? 0777 : 0755, sub_path);
    if (!next) return std::unexpected(next.error());
    folder = std::move(*next);
  }
  return {};
}

}  // namespace

Result<io::UniqueFd> open_sub_path(const std::string& volume, const std::string& sub_path) {
  io::UniqueFd root(::open(volume.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return fail_errno(errno, "open volume " + volume);
  io::UniqueFd inside(open_below(root.get(), sub_path.c_str(), O_PATH));
  if (inside) return inside;
  if (errno != ENOENT) return leaves_volume(errno, sub_path);
  io::UniqueFd start(open_below(root.get(), ".", O_RDONLY | O_DIRECTORY));
  if (!start) return fail_errno(errno, "open volume " + volume);
  SKIFF_RETURN_IF_ERROR(make_folders(std::move(start), sub_path));
  inside = io::UniqueFd(open_below(root.get(), sub_path.c_str(), O_PATH));
  if (!inside) return leaves_volume(errno, sub_path);
  return inside;
}

}  // namespace skiff::node
