#include "edge/log_queue.h"

#include <fmt/format.h>

#include "base/time.h"

namespace skiff::edge {
namespace {

std::string time_text(int64_t unix_ms) {
  return format_rfc3339_micro(WallTime{std::chrono::milliseconds(unix_ms)});
}

}  // namespace

void LogQueue::lose(const LogLine& line) {
  Loss& loss = lost_[line.log_namespace];
  if (loss.count == 0) loss.since_ms = line.unix_ms;
  loss.count += line.stands_for;
}

void LogQueue::push(std::vector<LogLine> lines) {
  const std::lock_guard lock(mutex_);
  for (auto& line : lines) {
    if (bytes_ + line.text.size() > max_bytes_) {
      lose(line);
      continue;
    }
    bytes_ += line.text.size();
    lines_.push_back(std::move(line));
  }
}

std::vector<LogLine> LogQueue::take(size_t bytes) {
  const std::lock_guard lock(mutex_);
  std::vector<LogLine> taken;
  for (const auto& [name, loss] : lost_) {
    taken.push_back({name, loss.since_ms,
                     fmt::format("Error L10 (output buffer overflow): {} messages dropped since {}.",
                                 loss.count, time_text(loss.since_ms)),
                     loss.count});
  }
  lost_.clear();
  for (size_t sum = 0; !lines_.empty() && sum < bytes; lines_.pop_front()) {
    sum += lines_.front().text.size();
    bytes_ -= lines_.front().text.size();
    taken.push_back(std::move(lines_.front()));
  }
  return taken;
}

void LogQueue::count_lost(const std::vector<LogLine>& lines) {
  const std::lock_guard lock(mutex_);
  for (const auto& line : lines) lose(line);
}

bool LogQueue::empty() const {
  const std::lock_guard lock(mutex_);
  return lines_.empty() && lost_.empty();
}

void append_frame(const LogLine& line, std::string& out) {
  const auto text = fmt::format("<158>1 {} {} heroku router - {}\n", time_text(line.unix_ms),
                                line.log_namespace, line.text);
  fmt::format_to(std::back_inserter(out), "{} {}", text.size(), text);
}

}  // namespace skiff::edge
