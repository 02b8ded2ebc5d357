#include "platform/builds/disk.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "io/file.h"

using namespace skiff;
using namespace skiff::platform;

TEST_CASE("a build's disk is as large as its limit where the host has room") {
  CHECK(plan_disk_size(4096, 100000, 0) == 4096);
  CHECK(plan_disk_size(64, 100000, 0) == 64);
}

TEST_CASE("a build leaves the host its reserve, and what its disk takes already counts as its own") {
  CHECK(plan_disk_size(4096, 3024, 0) == 2000);
  CHECK(plan_disk_size(4096, 3024, 1000) == 3000);
}

TEST_CASE("no build starts on a host that is nearly full") {
  CHECK(plan_disk_size(4096, 1100, 0) == 0);
  CHECK(plan_disk_size(64, 1024, 0) == 0);
}

TEST_CASE("caches are dropped from the one that was least recently used") {
  std::string folder = "/tmp/skiff-caches-XXXXXX";
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  int64_t age = 100;
  for (const char* name : {"b.img", "own.img", "a.img", "other"}) {
    REQUIRE(io::write_file_atomic(folder + "/" + name, "x"));
    const timespec times[] = {{age, 0}, {age, 0}};
    REQUIRE(::utimensat(AT_FDCWD, (folder + "/" + name).c_str(), times, 0) == 0);
    age += 100;
  }
  CHECK(oldest_caches(folder, "own") == std::vector<std::string>{"b", "a"});
  CHECK(io::remove_tree(folder));
}
