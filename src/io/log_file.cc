#include "io/log_file.h"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "io/file.h"

namespace skiff::io {

namespace {

constexpr size_t kCopyBytes = 1 << 20;  // of one call

// From `offset` to the end, wherever that is by then.
Result<void> copy_rest(int from, off_t offset, int to) {
  for (;;) {
    const ssize_t sent = ::sendfile(to, from, &offset, kCopyBytes);
    if (sent == 0) return {};
    if (sent < 0 && errno != EINTR) return fail_errno(errno, "copy a log");
  }
}

}  // namespace

Result<void> bound_log(const std::string& path, off_t limit) {
  UniqueFd log(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!log && errno == ENOENT) return {};
  if (!log) return fail_errno(errno, "open " + path);
  struct stat info{};
  if (::fstat(log.get(), &info) != 0) return fail_errno(errno, "stat " + path);
  if (!S_ISREG(info.st_mode) || info.st_size <= limit) return {};
  const std::string old = path + ".1";
  UniqueFd copy(::open(old.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  Result<void> copied;
  if (copy) {
    copied = copy_rest(log.get(), info.st_size - limit, copy.get());
  } else {
    copied = fail_errno(errno, "create " + old);
  }
  if (::ftruncate(log.get(), 0) != 0) return fail_errno(errno, "cut " + path);
  return copied;
}

}  // namespace skiff::io
