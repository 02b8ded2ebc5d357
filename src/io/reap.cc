#include "io/reap.h"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "io/file.h"

namespace skiff::io {

namespace {

constexpr Duration kTryAgain = std::chrono::seconds(1);  // where no descriptor was left to wait with

// False while the child has not ended.
bool try_reap(pid_t pid) {
  for (;;) {
    const pid_t got = ::waitpid(pid, nullptr, WNOHANG);
    if (got != 0 && (got > 0 || errno != EINTR)) return true;
    if (got == 0) return false;
  }
}

// Waits for the pidfd. Belongs to a timer of the loop that never comes: it goes with the loop, or before.
class Reaper final : public FdHandler {
 public:
  Reaper(Loop& loop, pid_t pid, UniqueFd fd) : loop_(loop), pid_(pid), fd_(std::move(fd)) {}
  Result<void> open() { return loop_.watch(fd_.get(), *this); }
  void belong_to(TimerId timer) { timer_ = timer; }
  // Told again when a tracer that has seen the end first lets go.
  void on_readable() override {
    if (!try_reap(pid_)) return;
    loop_.unwatch(fd_.get());
    // Not at once: we are still in a call of ours.
    loop_.post([&loop = loop_, timer = timer_] { loop.cancel_timer(timer); });
  }
  void on_writable() override {}

 private:
  Loop& loop_;
  pid_t pid_;
  UniqueFd fd_;
  TimerId timer_ = 0;
};

}  // namespace

void reap_later(Loop& loop, pid_t pid) {
  if (try_reap(pid)) return;
  UniqueFd fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (fd) {
    auto reaper = std::make_unique<Reaper>(loop, pid, std::move(fd));
    Reaper* waiting = reaper.get();
    if (waiting->open()) {
      waiting->belong_to(loop.add_timer(MonotonicTime::max(), [kept = std::move(reaper)] {}));
      return;
    }
  }
  loop.add_timer_after(kTryAgain, [&loop, pid] { reap_later(loop, pid); });
}

}  // namespace skiff::io
