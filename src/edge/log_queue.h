// Router lines on their way to the platform: bounded, and what had to be dropped is counted in a line of its
// own (Heroku's L10). Thread-safe.
#pragma once

#include <deque>
#include <mutex>

#include "edge/limits.h"
#include "edge/log_batch.h"

namespace skiff::edge {

class LogQueue {
 public:
  explicit LogQueue(size_t max_bytes = kMaxLogQueue) : max_bytes_(max_bytes) {}
  // A batch that does not fit is dropped and counted.
  void push(LogBatch batch);
  // The oldest lines, about `bytes` of them, after a line for each namespace that has lost some.
  LogBatch take(size_t bytes);
  // Lines that were taken but could not be delivered.
  void count_lost(const LogBatch::Counts& counts);
  bool empty() const;

 private:
  void lose(const LogBatch::Counts& counts);

  const size_t max_bytes_;
  mutable std::mutex mutex_;  // guards the rest
  std::deque<LogBatch> batches_;
  size_t bytes_ = 0;
  LogBatch::Counts lost_;
};

}  // namespace skiff::edge
