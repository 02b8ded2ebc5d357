#include "io/sync.h"

#include <utility>

namespace skiff::io {

void Event::set() {
  if (state_->set) return;
  state_->set = true;
  auto waiters = std::exchange(state_->waiters, {});
  for (auto& waiter : waiters) {
    loop_.post([waiter] {
      // Gone when the waiting task was dropped between the two steps.
      if (auto slot = waiter.lock()) {
        const auto handle = *slot;
        slot.reset();
        handle.resume();
      }
    });
  }
}

Event::Waiter::~Waiter() = default;

void Event::Waiter::await_suspend(std::coroutine_handle<> handle) {
  slot_ = std::make_shared<std::coroutine_handle<>>(handle);
  state_->waiters.push_back(slot_);
}

}  // namespace skiff::io
