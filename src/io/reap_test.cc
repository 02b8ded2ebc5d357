#include "io/reap.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/file.h"
#include "io/process.h"
#include "io/sync.h"

using namespace skiff;

namespace {

// Holds a process so that, killed, it can't be reaped by its parent: as one that sleeps in the kernel.
class Holder {
 public:
  explicit Holder(pid_t held) {
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      const char said = ::ptrace(PTRACE_SEIZE, held, nullptr, nullptr) == 0 ? 'y' : 'n';
      static_cast<void>(::write(ready[1], &said, 1));
      for (;;) ::pause();
    }
    char said = 'n';
    REQUIRE(::read(ready[0], &said, 1) == 1);
    ::close(ready[0]);
    ::close(ready[1]);
    holds = said == 'y';
  }
  ~Holder() { let_go(); }
  void let_go() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  bool holds = false;

 private:
  pid_t pid_ = 0;
};

bool exists(pid_t pid) {
  return ::kill(pid, 0) == 0;  // also while nobody has reaped it
}

// Runs the loop until then; false when that takes longer than any machine should.
bool turns_until(io::Loop& loop, const std::function<bool()>& done) {
  const MonotonicTime deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    loop.add_timer_after(std::chrono::milliseconds(5), [&loop] { loop.stop(); });
    loop.run();
  }
  return true;
}

io::Task<void> run_for_ever(io::Loop* loop, std::string file) {
  std::vector<std::string> argv = {
      "sh", "-c", "echo $$ > " + file + ".new; mv " + file + ".new " + file + "; exec sleep 1000"};
  auto output = co_await io::run_command(*loop, std::move(argv));
}

io::Task<void> note_turn(io::Loop* loop, bool* done) {
  *done = co_await io::run_blocking(*loop, [] { return true; });
}

}  // namespace

TEST_CASE("a killed child is reaped when it ends, be it later") {
  auto loop = io::make_epoll_loop(1);
  const pid_t child = ::fork();
  if (child == 0) {
    for (;;) ::pause();
  }
  Holder holder(child);
  if (!holder.holds) {
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    MESSAGE("no process may be traced here: not tested");
    return;
  }
  ::kill(child, SIGKILL);
  io::reap_later(*loop, child);
  bool turned = false;
  io::TaskScope scope(*loop);
  scope.spawn(note_turn(loop.get(), &turned));
  CHECK(turns_until(*loop, [&turned] { return turned; }));
  CHECK(exists(child));
  holder.let_go();
  CHECK(turns_until(*loop, [child] { return !exists(child); }));
}

TEST_CASE("a child that has ended is reaped at once") {
  auto loop = io::make_epoll_loop(1);
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  siginfo_t info{};
  REQUIRE(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT) == 0);
  io::reap_later(*loop, child);
  CHECK(!exists(child));
}

TEST_CASE("a dropped command that does not end takes no thread of the pool") {
  std::string folder = "/tmp/reap-test-XXXXXX";
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  auto loop = io::make_epoll_loop(1);
  io::TaskScope scope(*loop);
  scope.spawn(run_for_ever(loop.get(), folder + "/pid"));
  CHECK(turns_until(*loop, [&folder] { return io::path_exists(folder + "/pid"); }));
  const pid_t child = std::stoi(io::read_file(folder + "/pid").value_or("0"));
  REQUIRE(child > 0);
  CHECK(io::remove_tree(folder).has_value());
  Holder holder(child);
  scope.cancel();
  if (!holder.holds) return;
  bool turned = false;
  scope.spawn(note_turn(loop.get(), &turned));
  CHECK(turns_until(*loop, [&turned] { return turned; }));
  holder.let_go();
  CHECK(turns_until(*loop, [child] { return !exists(child); }));
}
