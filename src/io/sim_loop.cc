#include "io/sim_loop.h"

#include <algorithm>

namespace skiff::io {

namespace {
constexpr WallTime kStart = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);
constexpr MonotonicTime kMonotonicStart{std::chrono::seconds(1000)};
}  // namespace

SimLoop::SimLoop(uint64_t seed, Order order) : random_(seed), order_(order) {}

WallTime SimLoop::wall_now() const {
  return kStart + (now_ - kMonotonicStart) + wall_offset_;
}

Result<void> SimLoop::watch(int, FdHandler&) {
  return fail(Code::kUnimplemented, "a simulated loop has no file descriptors");
}

void SimLoop::submit_blocking(Callback work, Callback done) {
  post([work = std::move(work), done = std::move(done)]() mutable {
    work();
    done();
  });
}

void SimLoop::order_ready(std::deque<Callback>& batch) {
  if (order_ == Order::kFifo) return;
  for (size_t i = batch.size(); i > 1; --i) std::swap(batch[i - 1], batch[random_.below(i)]);
}

void SimLoop::run_until_idle() {
  while (run_ready()) {
  }
}

void SimLoop::advance(Duration duration) {
  const MonotonicTime target = now_ + duration;
  run_until_idle();
  while (next_timer() <= target) {
    now_ = std::max(now_, next_timer());
    run_timers(now_);
    run_until_idle();
  }
  now_ = target;
}

bool SimLoop::run_until(const std::function<bool()>& done, Duration limit) {
  const MonotonicTime end = now_ + limit;
  for (;;) {
    run_until_idle();
    if (done()) return true;
    if (next_timer() > end) return false;
    now_ = std::max(now_, next_timer());
    run_timers(now_);
  }
}

void SimLoop::run() {
  stopped_ = false;
  while (!stopped_) {
    if (run_ready()) continue;
    if (next_timer() == MonotonicTime::max()) return;
    now_ = std::max(now_, next_timer());
    run_timers(now_);
  }
}

}  // namespace skiff::io
