#include "io/scope.h"

namespace skiff::io {

struct TaskScope::Entry {
  Task<void> wrapper;
  std::list<std::shared_ptr<Entry>>::iterator place;
};

TaskScope::TaskScope(Loop& loop) : loop_(loop) {}

TaskScope::~TaskScope() {
  cancel();
}

// The frame knows its entry weakly: the scope owns the entry, the entry owns the frame.
Task<void> TaskScope::run(TaskScope& scope, std::weak_ptr<Entry> entry, Task<void> task) {
  co_await task;
  // The frame still runs: it is destroyed from the loop.
  scope.loop_.post([&scope, entry] {
    if (auto alive = entry.lock()) {
      Entry* raw = alive.get();
      alive.reset();
      scope.reap(raw);
    }
  });
}

void TaskScope::spawn(Task<void> task) {
  if (closed_) return;
  auto entry = std::make_shared<Entry>();
  entries_.push_back(entry);
  entry->place = std::prev(entries_.end());
  entry->wrapper = run(*this, entry, std::move(task));
  loop_.post([weak = std::weak_ptr(entry)] {
    if (auto alive = weak.lock()) {
      Entry* raw = alive.get();
      alive.reset();
      // Starting is resuming from the initial suspension.
      std::coroutine_handle<> handle = raw->wrapper.operator co_await().handle;
      handle.resume();
    }
  });
}

void TaskScope::reap(Entry* entry) {
  const auto keep = *entry->place;
  entries_.erase(entry->place);
  if (entries_.empty() && when_empty_) {
    auto callback = std::move(when_empty_);
    when_empty_ = nullptr;
    callback();
  }
}

void TaskScope::cancel() {
  closed_ = true;
  while (!entries_.empty()) {
    const auto entry = entries_.front();
    entries_.pop_front();
  }
  closed_ = false;
  if (when_empty_) {
    auto callback = std::move(when_empty_);
    when_empty_ = nullptr;
    callback();
  }
}

void TaskScope::when_empty(Callback callback) {
  if (entries_.empty()) {
    callback();
  } else {
    when_empty_ = std::move(callback);
  }
}

}  // namespace skiff::io
