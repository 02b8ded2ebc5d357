#include "io/durable.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/log.h"
#include "base/strings.h"
#include "io/file.h"

namespace skiff::io {

namespace {

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

Result<UniqueFd> open_to_sync(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!fd) return fail_errno(errno, "open " + path);
  return fd;
}

// "NAME.tmpPID-N", as write_file_atomic() calls what it writes.
bool is_unpublished(std::string_view name) {
  constexpr std::string_view kMark = ".tmp";
  const size_t mark = name.rfind(kMark);
  if (mark == std::string_view::npos) return false;
  const auto numbers = split_once(name.substr(mark + kMark.size()), "-");
  return numbers.found && parse_uint(numbers.before) && parse_uint(numbers.after);
}

}  // namespace

void sweep_unpublished(const std::string& folder) {
  for (const auto& name : list_directory(folder).value_or(std::vector<std::string>{})) {
    if (!is_unpublished(name)) continue;
    const std::string path = folder + "/" + name;
    // Its writer holds it locked until it has its name.
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
    if (!file || ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) continue;
    if (::unlink(path.c_str()) != 0 && errno != ENOENT)
      log_warn("a leftover stays", {{"path", path}, {"error", fail_errno(errno, "remove").error().message}});
  }
}

Result<void> sync_path(const std::string& path) {
  auto fd = open_to_sync(path);
  if (!fd) return std::unexpected(fd.error());
  if (::fsync(fd->get()) != 0) return fail_errno(errno, "sync " + path);
  return {};
}

Result<void> sync_file_system(const std::string& path) {
  auto fd = open_to_sync(path);
  if (!fd) return std::unexpected(fd.error());
  if (::syncfs(fd->get()) != 0) return fail_errno(errno, "sync the file system of " + path);
  return {};
}

Result<void> publish(const std::string& from, const std::string& to) {
  struct stat info{};
  if (::lstat(from.c_str(), &info) != 0) return fail_errno(errno, "stat " + from);
  SKIFF_RETURN_IF_ERROR(S_ISDIR(info.st_mode) ? sync_file_system(from) : sync_path(from));
  if (::rename(from.c_str(), to.c_str()) != 0)
    return fail_errno(errno == ENOTEMPTY ? EEXIST : errno, "rename to " + to);
  return sync_path(folder_of(to));
}

}  // namespace skiff::io
