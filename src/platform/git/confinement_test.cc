#include "platform/git/confinement.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strings.h"
#include "io/file.h"
#include "io/sync.h"

using namespace skiff;
using namespace skiff::platform;

TEST_CASE("a private mount covers none of the folders that are needed") {
  CHECK(choose_private_root({"/var/lib/skiff/x"}) == "/mnt");
  CHECK(choose_private_root({"/mnt/disk/x"}) == "/media");
  CHECK(choose_private_root({"/mnt/a", "/media/b"}) == "/srv");
  CHECK(choose_private_root({"/mntx/a"}) == "/mnt");
}

TEST_CASE("a bound that was reached is explained to the pusher") {
  BuildLimits limits;
  limits.git_memory_mb = 64;
  CHECK(explain_bound(BoundReached::kNone, limits).empty());
  CHECK(explain_bound(BoundReached::kMemory, limits).find("more than 64 MB of memory") != std::string::npos);
}

namespace {

// Needs root, as the platform does; another caller sees only that nothing is run then.
struct Rig {
  Rig() {
    char name[] = "/tmp/skiff-confined-XXXXXX";
    folder = ::mkdtemp(name);
    REQUIRE(io::make_directories(folder + "/work"));
    REQUIRE(::chown((folder + "/work").c_str(), kGitUser, kGitUser) == 0);
  }
  ~Rig() {
    confinement.reset();
    auto removed = io::remove_tree(folder);
    sweep_control_groups(mounts, group);
    for (const auto& root : {mounts.unified, mounts.memory, mounts.processes}) {
      if (!root.empty()) ::rmdir((root + group).c_str());
    }
  }
  io::CommandOutput run(const std::string& script) {
    auto done = io::block_on(*loop, confinement->run(folder + "/work", limits, {"/bin/sh", "-c", script}));
    REQUIRE(done.has_value());
    return *done;
  }
  std::string folder, group = "/skiff-test-" + std::to_string(::getpid());
  ControlGroupMounts mounts = parse_control_group_mounts(io::read_file("/proc/self/mounts").value());
  BuildLimits limits;
  std::unique_ptr<io::Loop> loop = io::make_epoll_loop();
  std::unique_ptr<Confinement> confinement =
      std::make_unique<Confinement>(*loop, ConfinementOptions{"", "", group});
};

}  // namespace

TEST_CASE("a confined command is nobody, nowhere, and may write its folder only" *
          doctest::skip(::geteuid() != 0)) {
  Rig rig;
  const auto done = rig.run(
      "id -u; id -G; pwd; grep -c '^CapEff:.*[1-9a-f]' /proc/self/status; touch here && echo wrote; "
      "touch ../there 2>/dev/null || echo refused; wc -l </proc/net/dev; ulimit -c");
  const auto lines = split(done.out, '\n');
  REQUIRE(lines.size() >= 8);
  CHECK(lines[0] == "70001");
  CHECK(lines[1] == "70001");
  CHECK(lines[2] == rig.confinement->work_folder());
  CHECK(lines[3] == "0");
  CHECK(lines[4] == "wrote");
  CHECK(lines[5] == "refused");
  CHECK(lines[6] == "3");  // two lines of heading, and the loopback that is down
  struct stat info{};
  REQUIRE(::stat((rig.folder + "/work/here").c_str(), &info) == 0);
  CHECK(info.st_uid == kGitUser);
}

TEST_CASE("a confined command can't take more memory than it may" * doctest::skip(::geteuid() != 0)) {
  Rig rig;
  rig.limits.git_memory_mb = 64;
  const auto done = rig.run("head -c 300M /dev/zero | tail -c 299M | wc -c");
  CHECK(trim(done.out) != "313524224");
}

TEST_CASE("a confined command can't write a file of any size" * doctest::skip(::geteuid() != 0)) {
  Rig rig;
  rig.limits.push_mb = 1;
  const auto done = rig.run("head -c 5M /dev/zero >big; wc -c <big");
  CHECK(trim(done.out) == "2097152");
}
