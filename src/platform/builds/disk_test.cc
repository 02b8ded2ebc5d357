#include "platform/builds/disk.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>

#include "io/file.h"
#include "io/sync.h"

using namespace skiff;
using namespace skiff::platform;

TEST_CASE("a build's disk is as large as its limit where the host has room") {
  CHECK(plan_disk_size(4096, 100000, 0, 0) == 4096);
  CHECK(plan_disk_size(64, 100000, 0, 0) == 64);
}

TEST_CASE("a build leaves the host its reserve, and what its disk takes already counts as its own") {
  CHECK(plan_disk_size(4096, 3024, 0, 0) == 2000);
  CHECK(plan_disk_size(4096, 3024, 1000, 0) == 3000);
}

TEST_CASE("what the disks of other builds may still take is not given away twice") {
  CHECK(plan_disk_size(4096, 9216, 0, 4096) == 4096);
  CHECK(plan_disk_size(4096, 6120, 0, 4096) == 1000);
  CHECK(plan_disk_size(4096, 6120, 500, 4096) == 1500);
  CHECK(plan_disk_size(4096, 5200, 0, 4096) == 0);
}

TEST_CASE("no build starts on a host that is nearly full") {
  CHECK(plan_disk_size(4096, 1100, 0, 0) == 0);
  CHECK(plan_disk_size(64, 1024, 0, 0) == 0);
}

namespace {

io::Task<void> open_disk(BuildDisks* disks, std::string app, int64_t megabytes) {
  auto disk = co_await disks->open(std::move(app), megabytes);
}

// A build of b has begun when one of a wants more than the host has.
io::Task<int> open_together(io::Loop* loop, BuildDisks* disks) {
  constexpr int64_t kMoreThanAll = int64_t{1} << 40;
  io::TaskScope scope(*loop);
  io::Event ended(*loop);
  scope.spawn(open_disk(disks, "b", 64));
  scope.spawn(open_disk(disks, "a", kMoreThanAll));
  scope.when_empty([&ended] { ended.set(); });
  co_await ended.wait();
  co_await disks->close("a");
  co_await disks->close("b");
  co_return 0;
}

}  // namespace

TEST_CASE("the cache of a build that has begun is not dropped, others are" *
          doctest::skip(::geteuid() != 0)) {
  std::string data = "/tmp/skiff-disks-XXXXXX";
  REQUIRE(::mkdtemp(data.data()) != nullptr);
  REQUIRE(io::make_directories(data + "/cache"));
  for (const char* app : {"b", "c"}) REQUIRE(io::write_file_atomic(data + "/cache/" + app + ".img", "x"));
  const auto loop = io::make_epoll_loop();
  {
    BuildDisks disks(*loop, data);
    io::block_on(*loop, open_together(loop.get(), &disks));
  }
  CHECK(io::path_exists(data + "/cache/b.img"));
  auto left = io::list_directory(data + "/cache").value();
  CHECK(std::ranges::count_if(left, [](const std::string& name) {
          return name == "c.img" || name.starts_with(".dropped-");
        }) == 0);
  CHECK(io::remove_tree(data));
}

namespace {

int64_t free_megabytes(const std::string& folder) {
  struct statvfs info{};
  return ::statvfs(folder.c_str(), &info) == 0 ? static_cast<int64_t>(info.f_bavail * info.f_frsize >> 20)
                                               : 0;
}

int64_t total_megabytes(const std::string& folder) {
  struct statvfs info{};
  return ::statvfs(folder.c_str(), &info) == 0 ? static_cast<int64_t>(info.f_blocks * info.f_frsize >> 20)
                                               : 0;
}

// Two builds that fit beside each other, though not with all that both may write.
io::Task<int> open_both(BuildDisks* disks, int64_t megabytes) {
  auto one = co_await disks->open("one", megabytes);
  auto other = co_await disks->open("other", megabytes);
  REQUIRE(one);
  REQUIRE(other);
  CHECK(one->megabytes == megabytes);
  CHECK(other->megabytes < megabytes);
  co_await disks->close("one");
  co_await disks->close("other");
  co_return 0;
}

io::Task<int> open_smaller(BuildDisks* disks) {
  auto first = co_await disks->open("a", 512);
  REQUIRE(first);
  REQUIRE(io::write_file_atomic(first->folder + "/cache/kept", "x"));
  co_await disks->close("a");
  auto bit_smaller = co_await disks->open("a", 512);
  REQUIRE(bit_smaller);
  CHECK(io::path_exists(bit_smaller->folder + "/cache/kept"));
  co_await disks->close("a");
  auto larger = co_await disks->open("a", 2048);
  REQUIRE(larger);
  CHECK_FALSE(io::path_exists(larger->folder + "/cache/kept"));
  CHECK(total_megabytes(larger->folder) > 1024);
  co_await disks->close("a");
  co_return 0;
}

}  // namespace

TEST_CASE("what another build may still write makes a disk smaller, and drops nobody's cache" *
          doctest::skip(::geteuid() != 0)) {
  std::string data = "/tmp/skiff-disks-XXXXXX";
  REQUIRE(::mkdtemp(data.data()) != nullptr);
  REQUIRE(io::make_directories(data + "/cache"));
  REQUIRE(io::write_file_atomic(data + "/cache/c.img", "x"));
  const auto loop = io::make_epoll_loop();
  if (const int64_t free_mb = free_megabytes(data); free_mb > 6000) {
    BuildDisks disks(*loop, data);
    io::block_on(*loop, open_both(&disks, free_mb * 2 / 3));
  }
  CHECK(io::path_exists(data + "/cache/c.img"));
  CHECK(io::remove_tree(data));
}

TEST_CASE("a disk that is much smaller than its bound by now is made anew" *
          doctest::skip(::geteuid() != 0)) {
  std::string data = "/tmp/skiff-disks-XXXXXX";
  REQUIRE(::mkdtemp(data.data()) != nullptr);
  REQUIRE(io::make_directories(data + "/cache"));
  const auto loop = io::make_epoll_loop();
  if (free_megabytes(data) > 4096) {
    BuildDisks disks(*loop, data);
    io::block_on(*loop, open_smaller(&disks));
  }
  CHECK(io::remove_tree(data));
}

namespace {

// A host without a program that mounts.
struct NoMount {
  NoMount() : path(::getenv("PATH")) { ::setenv("PATH", "/nowhere", 1); }
  ~NoMount() { ::setenv("PATH", path.c_str(), 1); }
  std::string path;
};

io::Task<int> build_twice(BuildDisks* disks, std::string data) {
  auto disk = co_await disks->open("a", 64);
  REQUIRE(disk);
  CHECK(disk->bound == BuildDisk::Bound::kByWatching);
  for (const char* name : {"/cache/kept", "/out/slug.tar"})
    REQUIRE(io::write_file_atomic(disk->folder + name, "x"));
  auto emptied = co_await disks->empty("a");
  CHECK(emptied);
  CHECK_FALSE(io::path_exists(disk->folder + "/out/slug.tar"));
  co_await disks->close("a");
  CHECK(io::list_directory(data + "/disks")->empty());
  auto again = co_await disks->open("a", 64);
  auto used = co_await disks->purge("a");
  CHECK(used.error().code == Code::kConflict);
  REQUIRE(again);
  CHECK(io::path_exists(again->folder + "/cache/kept"));
  co_await disks->close("a");
  auto purged = co_await disks->purge("a");
  CHECK(purged);
  co_return 0;
}

}  // namespace

TEST_CASE("where no disk can be mounted a plain folder beside the others' keeps the cache" *
          doctest::skip(::geteuid() != 0)) {
  std::string data = "/tmp/skiff-disks-XXXXXX";
  REQUIRE(::mkdtemp(data.data()) != nullptr);
  REQUIRE(io::make_directories(data + "/cache"));
  // Of a version that kept it where disks are mounted.
  REQUIRE(io::make_directories(data + "/disks/old/cache"));
  REQUIRE(io::make_directories(data + "/cache/.dropped-7"));  // of a removal that was cut
  const auto loop = io::make_epoll_loop();
  {
    const NoMount host;
    BuildDisks disks(*loop, data);
    io::block_on(*loop, [](BuildDisks* d) -> io::Task<int> {
      co_await d->recover();
      co_return 0;
    }(&disks));
    CHECK(io::list_directory(data + "/disks")->empty());
    CHECK(io::list_directory(data + "/cache")->empty());
    io::block_on(*loop, build_twice(&disks, data));
  }
  // The file of the disk that could not be used.
  auto left = io::list_directory(data + "/cache").value();
  CHECK(std::ranges::count(left, "a.plain") == 0);
  CHECK(io::remove_tree(data));
}

TEST_CASE("caches are dropped from the one that was least recently used") {
  std::string folder = "/tmp/skiff-caches-XXXXXX";
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  int64_t age = 100;
  for (const char* name : {"b.img", "own.img", "begun.img", "a.img", "other"}) {
    REQUIRE(io::write_file_atomic(folder + "/" + name, "x"));
    const timespec times[] = {{age, 0}, {age, 0}};
    REQUIRE(::utimensat(AT_FDCWD, (folder + "/" + name).c_str(), times, 0) == 0);
    age += 100;
  }
  CHECK(oldest_caches(folder, {"own", "begun"}) == std::vector<std::string>{"b", "a"});
  CHECK(io::remove_tree(folder));
}
