#include "platform/git/confinement.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strings.h"
#include "io/file.h"
#include "io/sync.h"
#include "platform/git/group_rig.h"

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
  limits.push_mb = 3;
  CHECK(explain_bound(BoundReached::kPack, limits) ==
        "Push refused: its pack takes more than 3 MB; leave large files out of its commits, or raise "
        "\"pushMb\" (3) in DATA/platform/build-limits.json");
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
  }
  io::CommandOutput run(const std::string& script) {
    auto done = io::block_on(*loop, confinement->run(folder + "/work", limits, {"/bin/sh", "-c", script}));
    REQUIRE(done.has_value());
    return *done;
  }
  struct Ended {
    std::string out;
    bool grouped = false;
    BoundReached bound = BoundReached::kNone;
  };
  // Keeps the group until its bounds were asked.
  Ended run_in_group(const std::string& script) {
    auto confined =
        io::block_on(*loop, confinement->prepare(folder + "/work", limits, {"/bin/sh", "-c", script}));
    REQUIRE(confined.has_value());
    auto done = io::block_on(*loop, io::run_command(*loop, std::move(confined->argv)));
    REQUIRE(done.has_value());
    const auto& own = confined->group;
    return {done->out, own != nullptr, own ? own->bound_reached() : BoundReached::kNone};
  }
  bool grouped = false;  // the host gives groups
  std::string folder;
  GroupRig group;
  BuildLimits limits;
  std::unique_ptr<io::Loop> loop = io::make_epoll_loop();
  std::unique_ptr<Confinement> confinement =
      std::make_unique<Confinement>(*loop, ConfinementOptions{"", "", group.name});
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

TEST_CASE("a confined command neither sees nor reaches the processes of another push" *
          doctest::skip(::geteuid() != 0)) {
  Rig rig;
  const std::string user = std::to_string(kGitUser);
  io::ProcessOptions options;
  options.argv = {"setpriv", "--reuid=" + user, "--regid=" + user, "--clear-groups", "--", "sleep", "60"};
  auto other = io::spawn_process(*rig.loop, options);
  REQUIRE(other.has_value());
  const std::string process = std::to_string((*other)->pid());
  const auto done = rig.run("kill -0 " + process + " 2>/dev/null && echo reached; ls -d /proc/" + process +
                            " 2>/dev/null; ls -d /proc/[0-9]* | wc -l");
  CHECK(std::stoi(done.out) < 10);
  (*other)->kill(SIGKILL);
  CHECK(io::block_on(*rig.loop, (*other)->wait()).has_value());
}

TEST_CASE("the groups of a platform that is gone are not those of the next one" *
          doctest::skip(::geteuid() != 0)) {
  Rig rig;
  auto before = io::block_on(*rig.loop, rig.confinement->prepare(rig.folder + "/work", rig.limits, {"true"}));
  REQUIRE(before.has_value());
  if (!before->group) return;
  const auto left = before->group->folders();
  Confinement next(*rig.loop, {"", "", rig.group.name});  // takes them for the leftovers of a process before
  auto first = io::block_on(*rig.loop, next.prepare(rig.folder + "/work", rig.limits, {"true"}));
  auto second = io::block_on(*rig.loop, next.prepare(rig.folder + "/work", rig.limits, {"true"}));
  REQUIRE(first.has_value());
  REQUIRE(second.has_value());
  CHECK(first->group->folders() != left);
  for (const auto& folder : first->group->folders()) CHECK(io::path_exists(folder));
}

TEST_CASE("what a confined command leaves behind ends with it" * doctest::skip(::geteuid() != 0)) {
  Rig rig;
  const std::string seconds = "60." + std::to_string(::getpid());
  const auto running = [&] {
    int count = 0;
    for (const auto& name : io::list_directory("/proc").value())
      count += io::read_file("/proc/" + name + "/cmdline").value_or("").find(seconds) != std::string::npos;
    return count;
  };
  const auto done = rig.run("setsid sleep " + seconds + " </dev/null >/dev/null 2>&1 & sleep 0.1; exit 3");
  CHECK(done.status.code == 3);
  CHECK(running() == 0);
}

TEST_CASE("a confined command can't take more memory than it may" * doctest::skip(::geteuid() != 0)) {
  Rig rig;
  rig.limits.git_memory_mb = 64;
  const auto take = [&rig](const std::string& size) {
    return rig.run_in_group("echo began; head -c " + size + " /dev/zero | tail -c " + size + " | wc -c");
  };
  const auto small = take("8M");
  CHECK(small.out == "began\n8388608\n");
  CHECK(small.bound == BoundReached::kNone);
  const auto large = take("300M");
  CHECK(large.out.starts_with("began\n"));
  CHECK(large.out != "began\n314572800\n");
  // Where the host gives no groups, the limit of each process says nothing of itself.
  if (large.grouped) CHECK(large.bound == BoundReached::kMemory);
}

namespace {

io::Task<void> run_some(Rig* rig, int commands, std::vector<std::string>* trouble) {
  for (int i = 0; i < commands; ++i) {
    // In its group still: its name there ends with a number of its own.
    std::vector<std::string> command = {"/bin/sh", "-c", "grep -E '(memory|^0)[^:]*:' /proc/self/cgroup"};
    auto done = co_await rig->confinement->run(rig->folder + "/work", rig->limits, std::move(command));
    if (!done) {
      trouble->push_back(done.error().message);
    } else if (!done->status.ok() || (rig->grouped && done->out.find(rig->group.name) == std::string::npos)) {
      trouble->push_back(std::to_string(done->status.code) + " " + done->out + done->err);
    }
  }
}

io::Task<int> run_together(Rig* rig, int tasks, int commands, std::vector<std::string>* trouble) {
  io::TaskScope scope(*rig->loop);
  io::Event ended(*rig->loop);
  for (int i = 0; i < tasks; ++i) scope.spawn(run_some(rig, commands, trouble));
  scope.when_empty([&ended] { ended.set(); });
  co_await ended.wait();
  co_return 0;
}

}  // namespace

TEST_CASE("confined commands that run at once leave each other their groups" *
          doctest::skip(::geteuid() != 0)) {
  Rig rig;
  rig.grouped = rig.run_in_group("true").grouped;
  std::vector<std::string> trouble;
  io::block_on(*rig.loop, run_together(&rig, 8, 12, &trouble));
  CHECK(join(trouble, "\n") == "");
}

TEST_CASE("a command that can't be confined is an error, not the command's end" *
          doctest::skip(::geteuid() != 0)) {
  Rig rig;
  auto done = io::block_on(
      *rig.loop, rig.confinement->run(rig.folder + "/nowhere", rig.limits, {"/bin/sh", "-c", "exit 2"}));
  REQUIRE_FALSE(done.has_value());
  CHECK(done.error().code == Code::kUnavailable);
  CHECK(done.error().message.find("nowhere") != std::string::npos);
  CHECK(rig.run("exit 2").status.code == 2);
}

TEST_CASE("a confined command can't write a file of any size" * doctest::skip(::geteuid() != 0)) {
  Rig rig;
  rig.limits.push_mb = 1;
  const auto done = rig.run("head -c 5M /dev/zero >big; wc -c <big");
  CHECK(trim(done.out) == "2097152");
}
