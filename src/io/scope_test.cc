#include "io/scope.h"

#include <doctest/doctest.h>

#include "io/sim_loop.h"
#include "io/sync.h"

using namespace skiff;
using namespace std::chrono_literals;

namespace {

struct Gone {
  explicit Gone(bool& flag) : flag_(&flag) {}
  Gone(Gone&& other) noexcept : flag_(std::exchange(other.flag_, nullptr)) {}
  ~Gone() {
    if (flag_) *flag_ = true;
  }
  bool* flag_;
};

io::Task<void> note_after(io::Loop& loop, Duration delay, int& count) {
  co_await io::sleep(loop, delay);
  ++count;
}

io::Task<void> hold(io::Loop& loop, Gone gone) {
  co_await io::sleep(loop, 1h);
  (void)gone;
}

io::Task<Result<int>> slow_answer(io::Loop& loop, Duration delay) {
  co_await io::sleep(loop, delay);
  co_return 42;
}

io::Task<void> try_limit(io::Loop& loop, Duration delay, Duration limit, std::optional<Result<int>>& out) {
  auto task = slow_answer(loop, delay);
  auto result = co_await io::with_timeout(loop, limit, std::move(task));
  out.emplace(std::move(result));
}

io::Task<void> consume(io::Channel<int>& channel, std::vector<int>& out) {
  for (;;) {
    auto value = co_await channel.pop();
    if (!value) co_return;
    out.push_back(*value);
  }
}

}  // namespace

TEST_CASE("a scope runs its tasks and then is empty") {
  io::SimLoop loop;
  io::TaskScope scope(loop);
  int count = 0;
  scope.spawn(note_after(loop, 1s, count));
  scope.spawn(note_after(loop, 2s, count));
  loop.advance(1s);
  CHECK(count == 1);
  CHECK(scope.size() == 1);
  loop.advance(1s);
  CHECK(count == 2);
  CHECK(scope.size() == 0);
}

TEST_CASE("cancelling drops a task where it waits, and its timer") {
  io::SimLoop loop;
  bool gone = false;
  {
    io::TaskScope scope(loop);
    scope.spawn(hold(loop, Gone(gone)));
    loop.run_until_idle();
    CHECK_FALSE(gone);
  }
  CHECK(gone);
  loop.advance(2h);
}

TEST_CASE("a task that was spawned but not started is dropped with its scope") {
  io::SimLoop loop;
  bool gone = false;
  {
    io::TaskScope scope(loop);
    scope.spawn(hold(loop, Gone(gone)));
  }
  CHECK(gone);
  loop.run_until_idle();
}

TEST_CASE("a timeout drops the slow task and keeps the quick one's answer") {
  io::SimLoop loop;
  io::TaskScope scope(loop);
  std::optional<Result<int>> slow, quick;
  scope.spawn(try_limit(loop, 10s, 1s, slow));
  scope.spawn(try_limit(loop, 1s, 10s, quick));
  loop.advance(20s);
  REQUIRE(slow.has_value());
  CHECK(slow->error().code == Code::kTimeout);
  REQUIRE(quick.has_value());
  CHECK(quick->value() == 42);
}

TEST_CASE("a channel gives what was pushed, in order, and ends when closed") {
  io::SimLoop loop(7, io::SimLoop::Order::kShuffled);
  io::Channel<int> channel(loop);
  std::vector<int> out;
  io::TaskScope scope(loop);
  scope.spawn(consume(channel, out));
  loop.run_until_idle();
  for (int i = 0; i < 5; ++i) channel.push(i);
  channel.close();
  loop.run_until_idle();
  CHECK(out == std::vector<int>{0, 1, 2, 3, 4});
  CHECK(scope.size() == 0);
}
