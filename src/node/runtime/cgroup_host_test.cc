#include "node/runtime/cgroup_host.h"

#include <doctest/doctest.h>

using namespace skiff::node;

TEST_CASE("a host with only a v2 mount is unified") {
  const auto host = read_cgroup_host("cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n");
  CHECK(host.layout == CgroupLayout::kUnified);
  CHECK(host.unified_mount.empty());
  CHECK(host.roots.size() == 1);
}

TEST_CASE("v1 controllers beside a v2 mount are hybrid, and that mount is to be hidden") {
  const auto host = read_cgroup_host(
      "tmpfs /sys/fs/cgroup tmpfs rw 0 0\ncgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n"
      "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n");
  CHECK(host.layout == CgroupLayout::kHybrid);
  CHECK(host.unified_mount == "/sys/fs/cgroup/unified");
  CHECK(host.roots.size() == 2);
}

TEST_CASE("a v1 mount of several controllers is found by each of them") {
  const auto host =
      read_cgroup_host("cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,relatime,cpu,cpuacct 0 0\n");
  CHECK(host.controllers.at("cpu") == "/sys/fs/cgroup/cpu,cpuacct");
  CHECK(host.controllers.at("cpuacct") == "/sys/fs/cgroup/cpu,cpuacct");
  CHECK(!host.controllers.contains("memory"));
}

TEST_CASE("v1 controllers alone are legacy") {
  CHECK(read_cgroup_host("cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\n").layout == CgroupLayout::kLegacy);
}
