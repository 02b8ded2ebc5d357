// Small files, blocking: for start-up, tests, and inside run_blocking(). Not for the hot path.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace skiff::io {

// Owns a descriptor.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  ~UniqueFd() { reset(); }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release();
  void reset();

 private:
  int fd_ = -1;
};

constexpr size_t kMaxReadFile = 64 << 20;  // bytes; larger files are not read whole

Result<std::string> read_file(const std::string& path, size_t limit = kMaxReadFile);
// The last bytes of a file, at most `limit`: for files that others may have made as large as they like.
Result<std::string> read_tail(const std::string& path, size_t limit);
// Replaces the file as one step: temporary file, fsync, rename, fsync of the folder.
Result<void> write_file_atomic(const std::string& path, std::string_view data, mode_t mode = 0600);
// To a descriptor that blocks; `path` is for the message.
Result<void> write_all(int fd, std::string_view data, const std::string& path);
Result<void> make_directories(const std::string& path, mode_t mode = 0700);
// A file or a whole tree; fine when it does not exist. Does not follow symbolic links or cross mounts.
Result<void> remove_tree(const std::string& path);
// Names without "." and "..", sorted.
Result<std::vector<std::string>> list_directory(const std::string& path);
bool path_exists(const std::string& path);
// An exclusive lock held until the descriptor closes; Unavailable when another process has it.
Result<UniqueFd> lock_file(const std::string& path);

}  // namespace skiff::io
