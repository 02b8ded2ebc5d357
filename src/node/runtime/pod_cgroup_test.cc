#include "node/runtime/pod_cgroup.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "io/file.h"

using namespace skiff;
using namespace skiff::node;

namespace {
std::string value_of(const std::vector<CgroupSetting>& settings, const std::string& file) {
  for (const auto& setting : settings) {
    if (setting.file == file) return setting.value;
  }
  return "(none)";
}

PodLimits half_a_core() {
  PodLimits limits;
  limits.cpu_shares = 512;
  limits.cpu_quota_us = 50000;
  limits.memory_bytes = 64 << 20;
  return limits;
}
}  // namespace

TEST_CASE("a pod's limits in the files of a v2 host") {
  const auto settings = plan_pod_cgroup(CgroupLayout::kUnified, half_a_core());
  CHECK(value_of(settings, "cpu.weight") == "20");
  CHECK(value_of(settings, "cpu.max") == "50000 100000");
  CHECK(value_of(settings, "memory.max") == "67108864");
  CHECK(value_of(settings, "memory.swap.max") == "0");
  CHECK(value_of(settings, "pids.max") == "4096");
}

TEST_CASE("a pod's limits in the files of v1 controllers") {
  for (const auto layout : {CgroupLayout::kLegacy, CgroupLayout::kHybrid}) {
    const auto settings = plan_pod_cgroup(layout, half_a_core());
    CHECK(value_of(settings, "cpu.shares") == "512");
    CHECK(value_of(settings, "cpu.cfs_quota_us") == "50000");
    CHECK(value_of(settings, "memory.limit_in_bytes") == "67108864");
    CHECK(value_of(settings, "memory.memsw.limit_in_bytes") == "67108864");
    CHECK(value_of(settings, "pids.max") == "4096");
  }
}

TEST_CASE("what a pod does not limit is not limited") {
  for (const auto layout : {CgroupLayout::kUnified, CgroupLayout::kLegacy}) {
    const auto settings = plan_pod_cgroup(layout, {});
    CHECK(std::ranges::none_of(settings, [](const auto& one) { return one.controller == "memory"; }));
  }
  CHECK(value_of(plan_pod_cgroup(CgroupLayout::kUnified, {}), "cpu.max") == "max 100000");
}

TEST_CASE("in a v2 tree each level hands its controllers to the pod's group") {
  std::string root = "/tmp/skiff-cgroup-test-XXXXXX";
  REQUIRE(::mkdtemp(root.data()) != nullptr);
  const std::string pod = root + "/skiff-x/podu";
  REQUIRE(io::make_directories(pod));
  for (const auto& group : {root, root + "/skiff-x", pod}) {
    REQUIRE(io::write_file_atomic(group + "/cgroup.subtree_control", ""));
  }
  for (const char* file : {"/cpu.weight", "/cpu.max", "/memory.max", "/pids.max"}) {
    REQUIRE(io::write_file_atomic(pod + file, ""));
  }
  CgroupHost host;
  host.roots = {root};
  const auto applied = apply_pod_cgroup(host, "/skiff-x/podu", half_a_core());
  CHECK(applied.has_value());
  CHECK(io::read_file(pod + "/memory.max").value_or("") == "67108864");
  CHECK(io::read_file(root + "/skiff-x/cgroup.subtree_control").value_or("").starts_with("+"));
  // A kernel without swap accounting lacks that file: nothing is made in its place.
  CHECK(!io::path_exists(pod + "/memory.swap.max"));
  std::filesystem::remove_all(root);
}
