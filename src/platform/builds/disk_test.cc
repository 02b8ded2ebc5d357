#include "platform/builds/disk.h"

#include <doctest/doctest.h>

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
