#include "io/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <utility>

#include "io/durable.h"
#include "io/inside.h"

namespace skiff::io {

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

int UniqueFd::release() {
  return std::exchange(fd_, -1);
}

void UniqueFd::reset() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Result<std::string> read_file(const std::string& path, size_t limit) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail_errno(errno, "open " + path);
  return read_rest(fd.get(), path, limit);
}

Result<std::string> read_tail(const std::string& path, size_t limit) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail_errno(errno, "open " + path);
  const off_t size = ::lseek(fd.get(), 0, SEEK_END);
  if (size < 0) return fail_errno(errno, "seek in " + path);
  const off_t wanted = std::min(size, static_cast<off_t>(limit));
  std::string out(static_cast<size_t>(wanted), '\0');
  size_t filled = 0;
  while (filled < out.size()) {
    const off_t offset = size - wanted + static_cast<off_t>(filled);
    const ssize_t got = ::pread(fd.get(), out.data() + filled, out.size() - filled, offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(errno, "read " + path);
    if (got == 0) break;
    filled += static_cast<size_t>(got);
  }
  out.resize(filled);
  return out;
}

Result<void> write_all(int fd, std::string_view data, const std::string& path) {
  while (!data.empty()) {
    const ssize_t put = ::write(fd, data.data(), data.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return fail_errno(errno, "write " + path);
    data.remove_prefix(static_cast<size_t>(put));
  }
  return {};
}

// A new file, locked as long as it is open: so that it is not taken for what a killed process left.
static Result<UniqueFd> make_locked(const std::string& path, mode_t mode) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!fd) return fail_errno(errno, "create " + path);
  struct stat info{};
  while (::flock(fd.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return fail_errno(errno, "lock " + path);
  }
  if (::fstat(fd.get(), &info) != 0) return fail_errno(errno, "stat " + path);
  // A sweep that came between the two steps took it.
  if (info.st_nlink == 0) return UniqueFd();
  ::fchmod(fd.get(), mode);
  return fd;
}

Result<void> write_file_atomic(const std::string& path, std::string_view data, mode_t mode) {
  // Several threads may write the same file at once.
  static std::atomic<unsigned> last = 0;
  UniqueFd fd;
  std::string temporary;
  while (!fd) {
    temporary = path + ".tmp" + std::to_string(::getpid()) + "-" + std::to_string(++last);
    auto made = make_locked(temporary, mode);
    // Of a process that had this one's number.
    if (!made && made.error().code == Code::kAlreadyExists) continue;
    if (!made) return std::unexpected(made.error());
    fd = std::move(*made);
  }
  auto done = write_all(fd.get(), data, path);
  if (done) done = publish(temporary, path);
  if (!done) ::unlink(temporary.c_str());
  return done;
}

// The folder that a path lies in; "" for one that lies in the root or in the present folder.
static std::string parent_of(const std::string& path) {
  const size_t end = path.find_last_not_of('/');
  const size_t slash = end == std::string::npos ? std::string::npos : path.rfind('/', end);
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

Result<void> make_directories(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) == 0 || errno == EEXIST) return {};
  const int why = errno;
  const std::string parent = parent_of(path);
  if (why != ENOENT || parent.empty()) return fail_errno(why, "make directory " + path);
  auto made = make_directories(parent, mode);
  if (!made) return made;
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) return fail_errno(errno, "make directory " + path);
  return {};
}

Result<std::vector<std::string>> list_directory(const std::string& path) {
  DIR* directory = ::opendir(path.c_str());
  if (!directory) return fail_errno(errno, "list " + path);
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(directory)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  ::closedir(directory);
  std::sort(names.begin(), names.end());
  return names;
}

bool path_exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

Result<UniqueFd> lock_file(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) return fail_errno(errno, "open " + path);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return fail(Code::kUnavailable, path + " is held by another process");
    return fail_errno(errno, "lock " + path);
  }
  return fd;
}

}  // namespace skiff::io
