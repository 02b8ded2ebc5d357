#include "node/images/shared_tree.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "base/log.h"
#include "io/durable.h"
#include "io/sync.h"

namespace skiff::node {

namespace {

namespace fs = std::filesystem;

constexpr Duration kPause = std::chrono::milliseconds(200);
constexpr const char* kPartial = ".partial-";

// Files of a layout never change once they are there: one may have many names.
Result<void> link_or_copy(const fs::path& from, const fs::path& to) {
  if (::link(from.c_str(), to.c_str()) == 0) return {};
  std::error_code error;
  fs::copy_file(from, to, error);
  if (error) return fail_errno(error.value(), "copy " + from.string());
  return {};
}

Result<void> share_tree(const std::string& from, const std::string& to) {
  std::error_code error;
  SKIFF_RETURN_IF_ERROR(io::make_directories(to, 0755));
  for (fs::recursive_directory_iterator at(from, error), end; !error && at != end; at.increment(error)) {
    const fs::path target = fs::path(to) / fs::relative(at->path(), from, error);
    if (at->is_directory()) {
      SKIFF_RETURN_IF_ERROR(io::make_directories(target.string(), 0755));
    } else {
      SKIFF_RETURN_IF_ERROR(link_or_copy(at->path(), target));
    }
  }
  if (error) return fail_errno(error.value(), "list " + from);
  return {};
}

// Gives the tree its name, and the tree that has it already the old name, in one step.
Result<void> exchange(const std::string& partial, const std::string& to) {
  if (::renameat2(AT_FDCWD, partial.c_str(), AT_FDCWD, to.c_str(), RENAME_EXCHANGE) == 0) return {};
  if (errno == ENOENT && ::rename(partial.c_str(), to.c_str()) == 0) return {};
  if (errno != EINVAL) return fail_errno(errno, "rename to " + to);
  // A file system that can't: a cut between the two leaves none, which is made again.
  const std::string aside = partial + ".old";
  SKIFF_RETURN_IF_ERROR(io::remove_tree(aside));
  if (::rename(to.c_str(), aside.c_str()) != 0) return fail_errno(errno, "rename " + to);
  if (::rename(partial.c_str(), to.c_str()) != 0) {
    const int reason = errno;
    ::rename(aside.c_str(), to.c_str());
    return fail_errno(reason, "rename to " + to);
  }
  return io::remove_tree(aside);
}

}  // namespace

Result<void> put_copy(const std::string& from, const std::string& to) {
  const std::string partial = to + kPartial + std::to_string(::getpid());
  SKIFF_RETURN_IF_ERROR(io::remove_tree(partial));
  auto made = share_tree(from, partial);
  if (made) made = io::sync_file_system(partial);
  if (made) made = exchange(partial, to);
  if (made) made = io::sync_file_system(to);
  // What it was before, or what came of a failure.
  auto removed = io::remove_tree(partial);
  return made ? removed : made;
}

Result<void> share_file(const std::string& from, const std::string& to) {
  const std::string partial = to + kPartial + std::to_string(::getpid());
  SKIFF_RETURN_IF_ERROR(io::remove_tree(partial));
  SKIFF_RETURN_IF_ERROR(link_or_copy(from, partial));
  // Names of one file already: the rename does nothing then, and leaves both.
  auto published = io::publish(partial, to);
  auto removed = io::remove_tree(partial);
  return published ? removed : published;
}

void remove_partial_copies(const std::string& folder) {
  const size_t slash = folder.rfind('/');
  const std::string parent = folder.substr(0, slash), begin = folder.substr(slash + 1) + kPartial;
  for (const auto& name : io::list_directory(parent).value_or(std::vector<std::string>{})) {
    if (!name.starts_with(begin)) continue;
    auto removed = io::remove_tree(parent + "/" + name);
    if (!removed) log_warn("a part of the stack images stays", {{"error", removed.error().message}});
  }
}

io::Task<Result<io::UniqueFd>> wait_for_lock(io::Loop& loop, std::string path, Duration limit) {
  const MonotonicTime deadline = loop.now() + limit;
  for (;;) {
    auto taken = io::lock_file(path);
    if (taken || taken.error().code != Code::kUnavailable) co_return taken;
    if (loop.now() > deadline)
      co_return fail(Code::kTimeout, path + " has been held by another process for long");
    co_await io::sleep(loop, kPause);
  }
}

}  // namespace skiff::node
