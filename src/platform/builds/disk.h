// The disks of builds: for each app a file with a file system of its own, mounted while a build runs. It
// bounds what a build can write whatever the build does, and holds the app's cache from one build to the
// next.
//
// DATA/cache/<app>.img (sparse, mode 0600) is mounted at DATA/disks/<app> with the folders app, tmp, out (new
// for each build) and cache. Where the host can't mount it, the plain folder DATA/cache/<app>.plain takes its
// place and the build script watches the size. One build of an app at a time.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/loop.h"
#include "io/task.h"

namespace skiff::platform {

struct BuildDisk {
  std::string folder;
  int64_t megabytes = 0;
  enum class Bound { kByFileSystem, kByWatching } bound = Bound::kByFileSystem;
};

class BuildDisks {
 public:
  BuildDisks(io::Loop& loop, std::string data) : loop_(loop), data_(std::move(data)) {}
  ~BuildDisks();
  // Mounts the disk of an app, empty but for the cache; less than `megabytes` large when the host has less to
  // spare. ResourceExhausted when the host's own disk is nearly full.
  io::Task<Result<BuildDisk>> open(std::string app, int64_t megabytes);
  // All but the cache is empty again, for another pod of the same build.
  io::Task<Result<void>> empty(std::string app);
  // Empties all but the cache and unmounts. Fine when nothing is mounted. Due after each open(), also one
  // that failed: the cache of an app is not dropped between the two.
  io::Task<void> close(std::string app);
  // Removes the cache of an app, which has no open disk: its next build starts from nothing.
  io::Task<Result<void>> purge(std::string app);
  // Unmounts what a platform that died left.
  io::Task<void> recover();

 private:
  io::Task<Result<void>> mount(std::string app);
  io::Task<void> drop_cache(std::string app);
  // Out of the way at once, then removed. NotFound when there is no such path.
  io::Task<Result<void>> remove_aside(std::string path);
  // A new, empty disk, mounted.
  io::Task<Result<void>> make(std::string app, int64_t megabytes);
  std::string image(const std::string& app) const { return data_ + "/cache/" + app + ".img"; }
  std::string plain(const std::string& app) const { return data_ + "/cache/" + app + ".plain"; }
  std::string mount_point(const std::string& app) const { return data_ + "/disks/" + app; }
  // Of the app's open disk.
  std::string folder(const std::string& app) const;
  // What the disks of other builds that go on may still take of the host's, in MB: they are sparse.
  int64_t promised(const std::string& app) const;
  // Until one of the app has room for `megabytes`, or nothing is left to drop.
  io::Task<void> drop_caches(std::string app, int64_t megabytes);
  io::Loop& loop_;
  std::string data_;
  std::map<std::string, BuildDisk> open_;  // by app, also those that are about to be made
  uint64_t drops_ = 0;
};

// Unmounts the disks of all builds in `data` (DATA/platform), of a platform that has ended. Blocking, short.
void unmount_build_disks(const std::string& data);

// The apps whose caches lie in `folder`, but some: the one that was least recently used first. Blocking,
// short.
std::vector<std::string> oldest_caches(const std::string& folder, const std::set<std::string>& but);

// Pure: how large the disk of a build becomes, in MB; 0 when the host can spare too little. `free_mb` is what
// the host's disk has left, `own_mb` what the app's disk takes of it already, `promised_mb` what other builds
// that go on may still take.
int64_t plan_disk_size(int64_t limit_mb, int64_t free_mb, int64_t own_mb, int64_t promised_mb);

}  // namespace skiff::platform
