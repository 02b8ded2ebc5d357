// The event loop: callbacks, timers and file descriptors of one thread.
//
// Two implementations: EpollLoop for production and SimLoop, whose clock is virtual. Everything that needs
// time takes it from here, so a simulation controls it. Time is read once a turn: now() does not move within
// a turn. All members belong to the loop's thread, except post_remote().
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string_view>

#include "base/random.h"
#include "base/result.h"
#include "base/time.h"

namespace skiff::io {

using Callback = std::move_only_function<void()>;

// Identifies a timer; 0 is no timer.
using TimerId = uint64_t;

// Readiness of a descriptor, edge-triggered: called when reading (or writing) may make progress again, also
// on error and hang-up. Read or write until EAGAIN before waiting for the next call.
struct FdHandler {
  virtual ~FdHandler() = default;
  virtual void on_readable() = 0;
  virtual void on_writable() = 0;
};

class Loop {
 public:
  virtual ~Loop();

  virtual MonotonicTime now() const = 0;
  virtual WallTime wall_now() const = 0;
  // Randomness of this loop: seeded in a simulation.
  virtual Random& random() = 0;

  // Runs `callback` in a later step of this loop, in order of posting.
  void post(Callback callback);
  // The same from any thread. Callbacks posted after the loop's end are dropped.
  virtual void post_remote(Callback callback) = 0;

  // Calls back once, not before `at`. Timers of one instant run in order of creation.
  TimerId add_timer(MonotonicTime at, Callback callback);
  TimerId add_timer_after(Duration delay, Callback callback) {
    return add_timer(now() + delay, std::move(callback));
  }
  // No effect when the timer has run or was cancelled.
  void cancel_timer(TimerId id);

  // Registers a non-blocking descriptor for both directions until unwatch(). The handler outlives that call.
  virtual Result<void> watch(int fd, FdHandler& handler) = 0;
  virtual void unwatch(int fd) = 0;

  // Runs a blocking function in the bounded pool of threads, then `done` on this loop. In a simulation both
  // run at once in order. Use io::run_blocking() from coroutines.
  virtual void submit_blocking(Callback work, Callback done) = 0;

  // Runs until stop().
  virtual void run() = 0;
  virtual void stop() = 0;

 protected:
  // Runs what is posted now; true when anything ran.
  bool run_ready();
  // Runs the timers that are due at `at`.
  void run_timers(MonotonicTime at);
  // The earliest timer, or MonotonicTime::max().
  MonotonicTime next_timer() const;
  bool has_ready() const { return !ready_.empty(); }
  // Called with the ready queue before each step; a simulation shuffles it.
  virtual void order_ready(std::deque<Callback>&) {}

 private:
  std::deque<Callback> ready_;
  std::map<std::pair<MonotonicTime, TimerId>, Callback> timers_;
  std::map<TimerId, MonotonicTime> timer_times_;
  TimerId last_timer_ = 0;
};

// A production loop on epoll, with `blocking_threads` threads for blocking work, started when first needed.
std::unique_ptr<Loop> make_epoll_loop(int blocking_threads = 4);

}  // namespace skiff::io
