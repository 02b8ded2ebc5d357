// A home for background tasks: whoever owns the scope owns what runs in it.
//
// Declare it as the last member, so that its tasks die before what they use. Destroying or cancelling the
// scope drops its tasks at their present suspension point.
#pragma once

#include <functional>
#include <list>
#include <memory>

#include "io/loop.h"
#include "io/task.h"

namespace skiff::io {

class TaskScope {
 public:
  explicit TaskScope(Loop& loop);
  ~TaskScope();
  TaskScope(const TaskScope&) = delete;
  TaskScope& operator=(const TaskScope&) = delete;

  // Starts the task in a later step of the loop. After cancel() it is dropped at once.
  void spawn(Task<void> task);
  // Drops all tasks. Must not be called from one of them.
  void cancel();
  // Calls back once, as soon as no task is left.
  void when_empty(Callback callback);
  size_t size() const { return entries_.size(); }
  Loop& loop() const { return loop_; }

 private:
  struct Entry;
  static Task<void> run(TaskScope& scope, std::weak_ptr<Entry> entry, Task<void> task);
  void reap(Entry* entry);

  Loop& loop_;
  std::list<std::shared_ptr<Entry>> entries_;
  Callback when_empty_;
  bool closed_ = false;
};

}  // namespace skiff::io
