// A loop with a virtual clock, for tests and simulations: no threads, no descriptors, the same run for the
// same seed.
#pragma once

#include "io/loop.h"

namespace skiff::io {

class SimLoop final : public Loop {
 public:
  enum class Order { kFifo, kShuffled };
  // Time starts at 2026-01-01T00:00:00Z.
  explicit SimLoop(uint64_t seed = 1, Order order = Order::kFifo);

  MonotonicTime now() const override { return now_; }
  WallTime wall_now() const override;
  Random& random() override { return random_; }
  void post_remote(Callback callback) override { post(std::move(callback)); }
  Result<void> watch(int fd, FdHandler& handler) override;
  void unwatch(int) override {}
  void submit_blocking(Callback work, Callback done) override;
  // Runs until nothing is ready and no timer is left, or stop().
  void run() override;
  void stop() override { stopped_ = true; }

  // Runs all that is ready at the present instant; time does not move.
  void run_until_idle();
  // Moves the clock by `duration`, running every timer on the way.
  void advance(Duration duration);
  // Sets the wall clock forward or back, as an administrator or NTP does.
  void step_wall(Duration by) { wall_offset_ += by; }
  // Advances from timer to timer until `done` is true; false when `limit` passes first.
  bool run_until(const std::function<bool()>& done, Duration limit);

 private:
  void order_ready(std::deque<Callback>& batch) override;
  MonotonicTime now_{std::chrono::seconds(1000)};
  Duration wall_offset_{};
  SeededRandom random_;
  Order order_;
  bool stopped_ = false;
};

}  // namespace skiff::io
