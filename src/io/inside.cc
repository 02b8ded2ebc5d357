#include "io/inside.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace skiff::io {

int open_below(int folder, const char* path, int flags, Links links) {
  struct open_how how{};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  if (links == Links::kRefuse) how.resolve |= RESOLVE_NO_SYMLINKS;
  return static_cast<int>(::syscall(SYS_openat2, folder, path, &how, sizeof how));
}

Result<FoundFile> open_regular(const std::string& folder, const std::string& path) {
  const std::string name = folder + "/" + path;
  const UniqueFd root(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return fail_errno(errno, "open " + folder);
  FoundFile out;
  out.fd = UniqueFd(open_below(root.get(), path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY, Links::kRefuse));
  if (!out.fd && (errno == ELOOP || errno == EXDEV))
    return fail(Code::kForbidden, name + " is a link or lies behind one: it is not followed");
  if (!out.fd) return fail_errno(errno, "open " + name);
  struct stat info{};
  if (::fstat(out.fd.get(), &info) != 0) return fail_errno(errno, "stat " + name);
  if (!S_ISREG(info.st_mode)) return fail(Code::kForbidden, name + " is not a regular file");
  out.bytes = info.st_size;
  return out;
}

Result<std::string> read_rest(int fd, const std::string& name, size_t limit) {
  std::string out;
  char buffer[65536];
  for (;;) {
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(errno, "read " + name);
    if (got == 0) return out;
    if (out.size() + static_cast<size_t>(got) > limit) {
      return fail(Code::kResourceExhausted, name + " is larger than " + std::to_string(limit) + " bytes");
    }
    out.append(buffer, static_cast<size_t>(got));
  }
}

Result<std::string> read_inside(const std::string& folder, const std::string& path, size_t limit) {
  auto file = open_regular(folder, path);
  if (!file) return std::unexpected(file.error());
  return read_rest(file->fd.get(), folder + "/" + path, limit);
}

}  // namespace skiff::io
