// What coroutines of one loop wait for: time, events, queues, blocking work. Every awaiter unregisters when
// dropped.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "io/loop.h"
#include "io/scope.h"
#include "io/task.h"

namespace skiff::io {

// co_await sleep(loop, 5s);
class [[nodiscard]] Sleep {
 public:
  Sleep(Loop& loop, Duration delay) : loop_(loop), delay_(delay) {}
  ~Sleep() { loop_.cancel_timer(timer_); }
  Sleep(const Sleep&) = delete;
  bool await_ready() { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    timer_ = loop_.add_timer_after(delay_, [this, handle] {
      timer_ = 0;
      handle.resume();
    });
  }
  void await_resume() {}

 private:
  Loop& loop_;
  Duration delay_;
  TimerId timer_ = 0;
};
inline Sleep sleep(Loop& loop, Duration delay) {
  return Sleep(loop, delay);
}

struct EventState {
  bool set = false;
  std::deque<std::weak_ptr<std::coroutine_handle<>>> waiters;
};

// A flag that tasks wait for. set() wakes all waiters in a later step of the loop; it stays set until
// reset().
class Event {
 public:
  explicit Event(Loop& loop) : loop_(loop), state_(std::make_shared<EventState>()) {}
  void set();
  void reset() { state_->set = false; }
  bool is_set() const { return state_->set; }

  class [[nodiscard]] Waiter {
   public:
    explicit Waiter(std::shared_ptr<EventState> state) : state_(std::move(state)) {}
    ~Waiter();
    Waiter(const Waiter&) = delete;
    bool await_ready() { return state_->set; }
    void await_suspend(std::coroutine_handle<> handle);
    void await_resume() {}

   private:
    std::shared_ptr<EventState> state_;
    std::shared_ptr<std::coroutine_handle<>> slot_;
  };
  Waiter wait() { return Waiter(state_); }

 private:
  Loop& loop_;
  std::shared_ptr<EventState> state_;
};
// A queue between tasks of one loop. pop() waits; after close() it drains, then gives nothing.
template <typename T>
class Channel {
 public:
  explicit Channel(Loop& loop) : changed_(loop) {}
  // False after close().
  bool push(T value) {
    if (closed_) return false;
    queue_.push_back(std::move(value));
    changed_.set();
    return true;
  }
  void close() {
    closed_ = true;
    changed_.set();
  }
  bool closed() const { return closed_; }
  size_t size() const { return queue_.size(); }
  std::optional<T> try_pop() {
    if (queue_.empty()) return std::nullopt;
    std::optional<T> value(std::move(queue_.front()));
    queue_.pop_front();
    return value;
  }
  Task<std::optional<T>> pop() {
    for (;;) {
      auto value = try_pop();
      if (value || closed_) co_return value;
      changed_.reset();
      co_await changed_.wait();
    }
  }

 private:
  Event changed_;
  std::deque<T> queue_;
  bool closed_ = false;
};

// Runs `work` in the pool of blocking threads and gives its result. When the waiting task is dropped, the
// work still ends in its thread and its result is thrown away: capture by value only.
template <typename Function>
auto run_blocking(Loop& loop, Function work) -> Task<std::invoke_result_t<Function&>> {
  using R = std::invoke_result_t<Function&>;
  struct State {
    Function work;
    std::optional<R> result;
    Event done;
  };
  auto state = std::make_shared<State>(State{std::move(work), std::nullopt, Event(loop)});
  loop.submit_blocking([state] { state->result.emplace(state->work()); }, [state] { state->done.set(); });
  co_await state->done.wait();
  co_return std::move(*state->result);
}

// The task's result, or a Timeout error after `limit`; the task is then dropped.
template <typename T>
Task<Result<T>> with_timeout(Loop& loop, Duration limit, Task<Result<T>> task) {
  struct State {
    explicit State(Loop& l) : done(l), scope(l) {}
    std::optional<Result<T>> result;
    Event done;
    TaskScope scope;
  };
  struct Runner {
    static Task<void> run(State* state, Task<Result<T>> inner) {
      auto result = co_await inner;
      state->result.emplace(std::move(result));
      state->done.set();
    }
    static Task<void> expire(State* state, Loop& loop, Duration limit) {
      co_await sleep(loop, limit);
      state->done.set();
    }
  };
  auto state = std::make_unique<State>(loop);
  state->scope.spawn(Runner::run(state.get(), std::move(task)));
  state->scope.spawn(Runner::expire(state.get(), loop, limit));
  co_await state->done.wait();
  if (!state->result) co_return fail(Code::kTimeout, "the operation took longer than its limit");
  co_return std::move(*state->result);
}

// Runs a task on the loop until it ends: for main() and tests, never from inside the loop.
template <typename T>
T block_on(Loop& loop, Task<T> task) {
  struct Runner {
    static Task<void> run(Loop& l, Task<T> inner, std::optional<T>& out) {
      auto value = co_await inner;
      out.emplace(std::move(value));
      l.stop();
    }
  };
  std::optional<T> out;
  {
    TaskScope scope(loop);
    scope.spawn(Runner::run(loop, std::move(task), out));
    loop.run();
  }
  SKIFF_CHECK(out.has_value());
  return std::move(*out);
}

}  // namespace skiff::io
