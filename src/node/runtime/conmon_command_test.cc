#include "node/runtime/conmon_command.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include <future>

#include "io/sync.h"

using namespace skiff;
using namespace skiff::node;

namespace {
bool exists(pid_t pid) {
  return ::kill(pid, 0) == 0;  // also while nobody has reaped it
}
io::Task<int> next_in_pool(io::Loop& loop) {
  auto done = co_await io::run_blocking(loop, [] { return 1; });
  co_return done;
}
}  // namespace

TEST_CASE("a dropped child is killed in the pool and reaped by the loop, which does not wait for it") {
  auto loop = io::make_epoll_loop(1);
  std::promise<void> go_on;
  auto held = go_on.get_future().share();
  loop->submit_blocking([held] { held.wait(); }, [] {});
  const pid_t child = ::fork();
  if (child == 0) {
    for (;;) ::pause();
  }
  {
    ChildGuard guard(child, ChildGuard::Kill::kAlone);
    guard.reap_in(*loop);
  }
  CHECK(exists(child));  // the only thread of the pool is busy
  go_on.set_value();
  CHECK(io::block_on(*loop, next_in_pool(*loop)) == 1);
  const MonotonicTime deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (exists(child) && std::chrono::steady_clock::now() < deadline) {
    loop->add_timer_after(std::chrono::milliseconds(5), [&loop] { loop->stop(); });
    loop->run();
  }
  CHECK(!exists(child));
}
