#include "node/logs/folder_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace skiff::node {

namespace {
constexpr size_t kEventBytes = 16 << 10;
constexpr uint32_t kChanges = IN_MODIFY | IN_CREATE | IN_MOVED_FROM | IN_DELETE_SELF;
}  // namespace

FolderWatches::~FolderWatches() {
  if (fd_) loop_.unwatch(fd_.get());
}

Result<void> FolderWatches::open() {
  if (fd_) return {};
  io::UniqueFd fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!fd) return fail_errno(errno, "inotify");
  SKIFF_RETURN_IF_ERROR(loop_.watch(fd.get(), *this));
  fd_ = std::move(fd);
  return {};
}

Result<std::unique_ptr<FolderWatch>> FolderWatches::watch(const std::string& folder) {
  auto opened = open();
  if (!opened) return std::unexpected(opened.error());
  // A folder that is watched already gets the same number.
  const int number = ::inotify_add_watch(fd_.get(), folder.c_str(), kChanges);
  if (number < 0) return fail_errno(errno, "watch " + folder);
  std::unique_ptr<FolderWatch> out(new FolderWatch(*this, loop_, number));
  watches_[number].insert(out.get());
  return out;
}

void FolderWatches::remove(int number, FolderWatch* watch) {
  const auto found = watches_.find(number);
  if (found == watches_.end()) return;
  found->second.erase(watch);
  if (!found->second.empty()) return;
  watches_.erase(found);
  // Of a folder that is gone there is none; numbers are not used again.
  ::inotify_rm_watch(fd_.get(), number);
}

void FolderWatches::wake(int number) {
  const auto found = watches_.find(number);
  if (found == watches_.end()) return;
  for (auto* watch : found->second) watch->changed_.set();
}

void FolderWatches::on_readable() {
  std::array<char, kEventBytes> buffer;
  for (ssize_t got = 0; (got = ::read(fd_.get(), buffer.data(), buffer.size())) > 0;) {
    std::unordered_set<int> changed;
    inotify_event event{};
    for (size_t at = 0; at + sizeof event <= static_cast<size_t>(got); at += sizeof event + event.len) {
      std::memcpy(&event, buffer.data() + at, sizeof event);
      changed.insert(event.wd);
      if ((event.mask & IN_Q_OVERFLOW) == 0) continue;
      // What was lost may have been anybody's.
      for (const auto& [number, watches] : watches_) changed.insert(number);
    }
    for (const int number : changed) wake(number);
  }
}

}  // namespace skiff::node
