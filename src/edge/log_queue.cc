#include "edge/log_queue.h"

namespace skiff::edge {

void LogQueue::lose(const LogBatch::Counts& counts) {
  for (const auto& [name, count] : counts) add_count(lost_, name, count);
}

void LogQueue::push(LogBatch batch) {
  const std::lock_guard lock(mutex_);
  if (bytes_ + batch.bytes() > max_bytes_) return lose(batch.counts());
  bytes_ += batch.bytes();
  batches_.push_back(std::move(batch));
}

LogBatch LogQueue::take(size_t bytes) {
  const std::lock_guard lock(mutex_);
  LogBatch taken;
  for (const auto& [name, count] : lost_) taken.add_loss(name, count);
  lost_.clear();
  for (; !batches_.empty() && taken.bytes() < bytes; batches_.pop_front()) {
    bytes_ -= batches_.front().bytes();
    taken.append(std::move(batches_.front()));
  }
  return taken;
}

void LogQueue::count_lost(const LogBatch::Counts& counts) {
  const std::lock_guard lock(mutex_);
  lose(counts);
}

bool LogQueue::empty() const {
  const std::lock_guard lock(mutex_);
  return batches_.empty() && lost_.empty();
}

}  // namespace skiff::edge
