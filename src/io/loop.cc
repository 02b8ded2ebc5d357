#include "io/loop.h"

namespace skiff::io {

Loop::~Loop() = default;

void Loop::post(Callback callback) {
  ready_.push_back(std::move(callback));
}

TimerId Loop::add_timer(MonotonicTime at, Callback callback) {
  const TimerId id = ++last_timer_;
  timers_.emplace(std::pair(at, id), std::move(callback));
  timer_times_.emplace(id, at);
  return id;
}

void Loop::cancel_timer(TimerId id) {
  const auto found = timer_times_.find(id);
  if (found == timer_times_.end()) return;
  // The callback is destroyed last: its destructor may use the loop.
  auto node = timers_.extract({found->second, id});
  timer_times_.erase(found);
}

bool Loop::run_ready() {
  if (ready_.empty()) return false;
  std::deque<Callback> batch;
  batch.swap(ready_);
  order_ready(batch);
  while (!batch.empty()) {
    Callback callback = std::move(batch.front());
    batch.pop_front();
    callback();
  }
  return true;
}

void Loop::run_timers(MonotonicTime at) {
  while (!timers_.empty() && timers_.begin()->first.first <= at) {
    auto node = timers_.extract(timers_.begin());
    timer_times_.erase(node.key().second);
    node.mapped()();
  }
}

MonotonicTime Loop::next_timer() const {
  return timers_.empty() ? MonotonicTime::max() : timers_.begin()->first.first;
}

}  // namespace skiff::io
