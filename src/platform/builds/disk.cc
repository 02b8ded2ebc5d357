#include "platform/builds/disk.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/log.h"
#include "io/file.h"
#include "io/folder_stream.h"
#include "io/process.h"
#include "io/sync.h"
#include "platform/apps/manifests.h"

namespace skiff::platform {

namespace {

constexpr int64_t kHostReserveMb = 1024;       // of the host's disk that builds leave alone
constexpr int64_t kLeastDiskMb = 256;          // a smaller one would hardly hold a build
constexpr const char* kJournal = "size=4";     // MB; the least that mkfs makes
constexpr const char* kDropped = ".dropped-";  // before the number of a cache that is being removed
constexpr const char* kBuildFolders[] = {"app", "tmp", "out"};

Result<void> wipe(const std::string& folder) {
  for (const char* name : kBuildFolders) SKIFF_RETURN_IF_ERROR(io::remove_tree(folder + "/" + name));
  return {};
}

// The disk's root stays root's, so that a build can't replace one of its folders.
Result<void> make_folders(const std::string& folder) {
  SKIFF_RETURN_IF_ERROR(io::make_directories(folder));
  SKIFF_RETURN_IF_ERROR(wipe(folder));
  for (const char* name : {"app", "tmp", "out", "cache"}) {
    const std::string path = folder + "/" + name;
    SKIFF_RETURN_IF_ERROR(io::make_directories(path, 0755));
    if (::lchown(path.c_str(), kDynoUser, kDynoUser) != 0) return fail_errno(errno, "chown " + path);
  }
  return {};
}

Result<void> make_file(const std::string& path, int64_t megabytes) {
  SKIFF_RETURN_IF_ERROR(io::remove_tree(path));
  const io::UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) return fail_errno(errno, "make " + path);
  if (::ftruncate(file.get(), megabytes << 20) != 0) return fail_errno(errno, "make " + path);
  return {};
}

void unmount(const std::string& folder) {
  while (::umount2(folder.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0) {
  }
}

struct Usage {
  int64_t size_mb = 0, own_mb = 0;
};
Usage usage_of(const std::string& image) {
  struct stat info{};
  if (::stat(image.c_str(), &info) != 0) return {};
  return {info.st_size >> 20, info.st_blocks * 512 >> 20};
}

int64_t free_megabytes(const std::string& folder) {
  struct statvfs info{};
  if (::statvfs(folder.c_str(), &info) != 0) return 0;
  return static_cast<int64_t>(info.f_bavail * info.f_frsize >> 20);
}

io::Task<Result<void>> run(io::Loop& loop, std::vector<std::string> argv) {
  const std::string name = argv.front();
  auto done = co_await io::run_command(loop, std::move(argv));
  SKIFF_CO_RETURN_IF_ERROR(done);
  if (!done->status.ok()) co_return fail(Code::kUnavailable, name + ": " + done->err);
  co_return Result<void>{};
}

}  // namespace

std::vector<std::string> oldest_caches(const std::string& folder, const std::set<std::string>& but) {
  constexpr std::string_view kEnding = ".img";
  std::vector<std::pair<WallTime, std::string>> found;
  for (const auto& name : io::list_directory(folder).value_or(std::vector<std::string>{})) {
    const auto facts = io::entry_facts(AT_FDCWD, (folder + "/" + name).c_str());
    if (!facts || !name.ends_with(kEnding)) continue;
    const std::string app = name.substr(0, name.size() - kEnding.size());
    if (!but.contains(app)) found.emplace_back(facts->modified, app);
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> out;
  for (auto& [time, app] : found) out.push_back(std::move(app));
  return out;
}

int64_t plan_disk_size(int64_t limit_mb, int64_t free_mb, int64_t own_mb, int64_t promised_mb) {
  const int64_t spare = free_mb + own_mb - promised_mb - kHostReserveMb;
  return spare < std::min(limit_mb, kLeastDiskMb) ? 0 : std::min(limit_mb, spare);
}

void unmount_build_disks(const std::string& data) {
  auto apps = io::list_directory(data + "/disks");
  if (!apps) return;
  for (const auto& app : *apps) unmount(data + "/disks/" + app);
}

BuildDisks::~BuildDisks() {
  unmount_build_disks(data_);
}

io::Task<Result<void>> BuildDisks::mount(std::string app) {
  std::vector<std::string> argv = {"mount", "-o", "loop,nosuid,nodev,noatime,discard", image(app),
                                   mount_point(app)};
  auto mounted = co_await run(loop_, std::move(argv));
  co_return mounted;
}

io::Task<Result<void>> BuildDisks::make(std::string app, int64_t megabytes) {
  auto file =
      co_await io::run_blocking(loop_, [path = image(app), megabytes] { return make_file(path, megabytes); });
  SKIFF_CO_RETURN_IF_ERROR(file);
  std::vector<std::string> argv = {"mkfs.ext4", "-q", "-F", "-m", "0", "-J", kJournal, image(app)};
  auto formatted = co_await run(loop_, std::move(argv));
  SKIFF_CO_RETURN_IF_ERROR(formatted);
  auto mounted = co_await mount(app);
  co_return mounted;
}

// A build that begins while it is removed makes another one.
io::Task<Result<void>> BuildDisks::remove_aside(std::string path) {
  const std::string aside = fmt::format("{}/cache/{}{}", data_, kDropped, ++drops_);
  if (::rename(path.c_str(), aside.c_str()) != 0) co_return fail_errno(errno, "rename " + path);
  auto removed = co_await io::run_blocking(loop_, [aside] { return io::remove_tree(aside); });
  co_return removed;
}

io::Task<Result<void>> BuildDisks::purge(std::string app) {
  const std::string paths[] = {image(app), plain(app)};
  for (const auto& path : paths) {
    if (open_.contains(app)) co_return fail(Code::kConflict, "a build of " + app + " is going on");
    auto removed = co_await remove_aside(path);
    if (!removed && removed.error().code != Code::kNotFound) co_return removed;
  }
  co_return Result<void>{};
}

// Not of an app whose build has begun meanwhile.
io::Task<void> BuildDisks::drop_cache(std::string app) {
  if (open_.contains(app)) co_return;
  auto removed = co_await remove_aside(image(app));
  if (!removed && removed.error().code == Code::kNotFound) co_return;
  if (removed) {
    log_info("an app's build cache was dropped: the disk is nearly full", {{"app", app}});
  } else {
    log_warn("a build cache stays", {{"app", app}, {"error", removed.error().message}});
  }
}

int64_t BuildDisks::promised(const std::string& app) const {
  int64_t out = 0;
  for (const auto& [other, disk] : open_) {
    if (other != app) out += std::max<int64_t>(disk.megabytes - usage_of(image(other)).own_mb, 0);
  }
  return out;
}

// A cache only saves time; what it holds goes before a build is refused or cramped for it, the oldest first.
// What others that go on may still take is a promise that is seldom called in: for that alone none is dropped
// unless there would be no room at all.
io::Task<void> BuildDisks::drop_caches(std::string app, int64_t megabytes) {
  std::set<std::string> open;
  for (const auto& [other, disk] : open_) open.insert(other);
  const auto others = oldest_caches(data_ + "/cache", open);
  for (const auto& other : others) {
    const int64_t free_mb = free_megabytes(data_), own_mb = usage_of(image(app)).own_mb;
    const bool roomy = plan_disk_size(megabytes, free_mb, own_mb, 0) == megabytes;
    if (roomy && plan_disk_size(megabytes, free_mb, own_mb, promised(app)) > 0) co_return;
    co_await drop_cache(other);
  }
}

io::Task<Result<BuildDisk>> BuildDisks::open(std::string app, int64_t megabytes) {
  BuildDisk disk{mount_point(app)};
  open_[app] = disk;
  auto made = io::make_directories(disk.folder);
  SKIFF_CO_RETURN_IF_ERROR(made);
  unmount(disk.folder);
  co_await drop_caches(app, megabytes);
  const Usage usage = usage_of(image(app));
  const int64_t free_mb = free_megabytes(data_), promised_mb = promised(app);
  disk.megabytes = plan_disk_size(megabytes, free_mb, usage.own_mb, promised_mb);
  if (disk.megabytes == 0) {
    const std::string taken =
        promised_mb == 0 ? "" : fmt::format(", of which other builds may take {} MB", promised_mb);
    co_return fail(Code::kResourceExhausted,
                   fmt::format("the host's disk has {} MB left{}, too little to build; free some of it",
                               free_mb, taken));
  }
  open_[app] = disk;
  // A disk that is still fit for its purpose keeps its cache.
  const bool keep = usage.size_mb <= disk.megabytes && usage.size_mb >= disk.megabytes / 2;
  Result<void> mounted = fail(Code::kNotFound, "not made yet");
  if (keep) mounted = co_await mount(app);
  if (!mounted) mounted = co_await make(app, disk.megabytes);
  if (!mounted) {
    log_warn("a build's disk is a plain folder", {{"app", app}, {"error", mounted.error().message}});
    disk.bound = BuildDisk::Bound::kByWatching;
    disk.folder = plain(app);
    open_[app] = disk;
  }
  auto folders = co_await io::run_blocking(loop_, [path = disk.folder] { return make_folders(path); });
  SKIFF_CO_RETURN_IF_ERROR(folders);
  co_return disk;
}

io::Task<Result<void>> BuildDisks::empty(std::string app) {
  auto made = co_await io::run_blocking(loop_, [path = folder(app)] { return make_folders(path); });
  co_return made;
}

std::string BuildDisks::folder(const std::string& app) const {
  const auto found = open_.find(app);
  return found == open_.end() ? mount_point(app) : found->second.folder;
}

io::Task<void> BuildDisks::close(std::string app) {
  auto wiped = co_await io::run_blocking(loop_, [path = folder(app), mounted = mount_point(app)] {
    auto result = wipe(path);
    unmount(mounted);
    ::rmdir(mounted.c_str());
    return result;
  });
  open_.erase(app);
  if (!wiped) log_warn("a build's disk keeps files", {{"app", app}, {"error", wiped.error().message}});
}

io::Task<void> BuildDisks::recover() {
  const std::string caches = data_ + "/cache/";
  for (const auto& name : io::list_directory(caches).value_or(std::vector<std::string>{})) {
    if (!name.starts_with(kDropped)) continue;
    auto removed = co_await io::run_blocking(loop_, [path = caches + name] { return io::remove_tree(path); });
    if (!removed) log_warn("a build cache stays", {{"error", removed.error().message}});
  }
  auto apps = io::list_directory(data_ + "/disks");
  if (!apps) co_return;
  for (const auto& app : *apps) {
    co_await close(app);
    // Of a version that kept a plain folder there.
    auto removed =
        co_await io::run_blocking(loop_, [path = mount_point(app)] { return io::remove_tree(path); });
    if (!removed) log_warn("a build cache stays", {{"error", removed.error().message}});
  }
}

}  // namespace skiff::platform
