#include "platform/git/control_group.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>

#include "io/file.h"

using namespace skiff;
using namespace skiff::platform;

namespace {
// A folder in the place of a hierarchy. The kernel makes the files of a group; here a test does.
std::string make_folder() {
  char name[] = "/tmp/skiff-groups-XXXXXX";
  return ::mkdtemp(name);
}
std::string text_of(const std::string& path) {
  return io::read_file(path).value_or("?");
}
void make_files(const std::string& folder, std::initializer_list<const char*> names) {
  REQUIRE(io::make_directories(folder));
  for (const char* name : names) REQUIRE(io::write_file_atomic(folder + "/" + name, ""));
}
}  // namespace

TEST_CASE("control groups are found where the host has them") {
  const char* hybrid =
      "cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0\n"
      "cgroup /sys/fs/cgroup/cpu,pids cgroup rw,cpu,pids 0 0\n"
      "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\nproc /proc proc rw 0 0\n";
  const auto both = parse_control_group_mounts(hybrid);
  CHECK(both.memory == "/sys/fs/cgroup/memory");
  CHECK(both.processes == "/sys/fs/cgroup/cpu,pids");
  CHECK(both.unified.empty());
  const auto second = parse_control_group_mounts("cgroup2 /sys/fs/cgroup cgroup2 rw,nsdelegate 0 0\n");
  CHECK(second.unified == "/sys/fs/cgroup");
  CHECK(second.memory.empty());
  CHECK_FALSE(ControlGroup::make(parse_control_group_mounts(""), "/a", {1, 1}, {1, 1}).has_value());
}

TEST_CASE("the bound that was reached is named") {
  CHECK(parse_bound_reached("low 0\noom 3\noom_kill 1\n", "max 0\n") == BoundReached::kMemory);
  CHECK(parse_bound_reached("oom_kill_disable 0\nunder_oom 0\noom_kill 0\n", "max 2\n") ==
        BoundReached::kProcesses);
  CHECK(parse_bound_reached("oom_kill 0\n", "max 0\n") == BoundReached::kNone);
  CHECK(parse_bound_reached("", "") == BoundReached::kNone);
}

TEST_CASE("a group of version 1 is bounded in each hierarchy, its parent for all together") {
  const std::string root = make_folder(), memory = root + "/memory", processes = root + "/pids";
  for (const char* group : {"/s/git", "/s/git/1"}) {
    make_files(memory + group, {"memory.limit_in_bytes"});
    make_files(processes + group, {"pids.max"});
  }
  {
    const auto group = ControlGroup::make({"", memory, processes}, "/s/git/1", {2, 8}, {5, 80});
    REQUIRE(group.has_value());
    CHECK((*group)->folders() == std::vector{memory + "/s/git/1", processes + "/s/git/1"});
    CHECK(text_of(memory + "/s/git/1/memory.limit_in_bytes") == "2097152");
    CHECK(text_of(memory + "/s/git/memory.limit_in_bytes") == "5242880");
    CHECK(text_of(processes + "/s/git/1/pids.max") == "8");
    CHECK(text_of(processes + "/s/git/pids.max") == "80");
    CHECK((*group)->bound_reached() == BoundReached::kNone);
    REQUIRE(io::write_file_atomic(memory + "/s/git/1/memory.oom_control", "under_oom 0\noom_kill 1\n"));
    CHECK((*group)->bound_reached() == BoundReached::kMemory);
  }
  REQUIRE(io::remove_tree(root));
}

TEST_CASE("a group of version 2 gets its controllers from above") {
  const std::string root = make_folder();
  make_files(root, {"cgroup.subtree_control"});
  make_files(root + "/s", {"cgroup.subtree_control", "memory.max", "pids.max"});
  make_files(root + "/s/1", {"memory.max", "pids.max"});
  {
    const auto group = ControlGroup::make({root, "", ""}, "/s/1", {2, 8}, {5, 80});
    REQUIRE(group.has_value());
    CHECK(text_of(root + "/cgroup.subtree_control") == "+memory +pids");
    CHECK(text_of(root + "/s/cgroup.subtree_control") == "+memory +pids");
    CHECK(text_of(root + "/s/1/memory.max") == "2097152");
  }
  REQUIRE(io::remove_tree(root));
}

TEST_CASE("a host that refuses a group says why") {
  const std::string root = make_folder();
  const auto group = ControlGroup::make({root, "", ""}, "/s/1", {2, 8}, {5, 80});
  REQUIRE_FALSE(group.has_value());
  CHECK(group.error().message.find("cgroup.subtree_control") != std::string::npos);
  REQUIRE(io::remove_tree(root));
}

TEST_CASE("empty groups of earlier runs are swept, those of this one are not") {
  const std::string root = make_folder();
  make_files(root + "/s/git/1", {});
  make_files(root + "/s/git/2", {"busy"});
  LeftGroups left;
  left.find({root + "/s/git", "", ""}, "");  // the root of a hierarchy is the host's
  left.sweep();
  CHECK(io::list_directory(root + "/s/git").value().size() == 2);
  left.find({root, "", ""}, "/s/git");
  make_files(root + "/s/git/3", {});
  left.sweep();
  auto names = io::list_directory(root + "/s/git").value();
  std::ranges::sort(names);
  CHECK(names == std::vector<std::string>{"2", "3"});
  REQUIRE(io::remove_tree(root + "/s/git/2/busy"));
  left.sweep();
  CHECK(io::list_directory(root + "/s/git").value() == std::vector<std::string>{"3"});
  REQUIRE(io::remove_tree(root));
}

TEST_CASE("a group that can't be removed yet is swept later") {
  const std::string root = make_folder();
  make_files(root, {"cgroup.subtree_control"});
  make_files(root + "/s", {"cgroup.subtree_control", "memory.max", "pids.max"});
  make_files(root + "/s/1", {"memory.max", "pids.max"});
  const auto left = std::make_shared<LeftGroups>();
  {
    REQUIRE(ControlGroup::make({root, "", ""}, "/s/1", {2, 8}, {5, 80}, left));
  }
  REQUIRE(io::path_exists(root + "/s/1"));
  for (const char* name : {"memory.max", "pids.max"}) REQUIRE(io::remove_tree(root + "/s/1/" + name));
  left->sweep();
  CHECK(!io::path_exists(root + "/s/1"));
  REQUIRE(io::remove_tree(root));
}
