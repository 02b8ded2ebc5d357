// Blocking work whose length others decide, such as walks of trees that tenants made: a few of a kind at
// once, the others wait for their turn without a thread, so that the loop's pool stays free for short work.
//
//   io::LongWork removals{loop, 2};
//   auto removed = co_await io::run_blocking(removals, [path] { return io::remove_tree(path); });
#pragma once

#include <deque>
#include <memory>

#include "io/sync.h"

namespace skiff::io {

// Of the loop's thread. What waits when it is destroyed is dropped.
class LongWork {
 public:
  LongWork(Loop& loop, size_t at_once) : state_(std::make_shared<State>(loop, at_once)) {}
  ~LongWork() { state_->waiting.clear(); }
  LongWork(const LongWork&) = delete;
  LongWork& operator=(const LongWork&) = delete;
  // As Loop::submit_blocking(), in order.
  void submit_blocking(Callback work, Callback done);
  Loop& loop() const { return state_->loop; }

 private:
  struct Piece {
    Callback work, done;
  };
  struct State {
    State(Loop& l, size_t at_once) : loop(l), free(at_once) {}
    Loop& loop;
    size_t free;
    std::deque<Piece> waiting;
  };
  static void start(const std::shared_ptr<State>& state);
  std::shared_ptr<State> state_;
};

// run_blocking() of sync.h, when the work's turn comes.
template <typename Function>
auto run_blocking(LongWork& pool, Function work) -> Task<std::invoke_result_t<Function&>> {
  using R = std::invoke_result_t<Function&>;
  struct Run {
    Function work;
    std::optional<R> result;
    Event done;
  };
  auto run = std::make_shared<Run>(Run{std::move(work), std::nullopt, Event(pool.loop())});
  pool.submit_blocking([run] { run->result.emplace(run->work()); }, [run] { run->done.set(); });
  co_await run->done.wait();
  co_return std::move(*run->result);
}

}  // namespace skiff::io
