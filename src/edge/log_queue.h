// Router lines on their way to the platform: bounded, and what had to be dropped is counted in a line of its
// own (Heroku's L10). Thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "edge/limits.h"

namespace skiff::edge {

// One router line without its time and source, for the log of that namespace.
struct LogLine {
  std::string log_namespace;
  int64_t unix_ms = 0;
  std::string text;
  uint64_t stands_for = 1;  // lines: more for a line that tells of dropped ones
};

class LogQueue {
 public:
  explicit LogQueue(size_t max_bytes = kMaxLogQueue) : max_bytes_(max_bytes) {}
  // What does not fit is dropped and counted.
  void push(std::vector<LogLine> lines);
  // The oldest lines, about `bytes` of them, after a line for each namespace that has lost some.
  std::vector<LogLine> take(size_t bytes);
  // Lines that were taken but could not be delivered.
  void count_lost(const std::vector<LogLine>& lines);
  bool empty() const;

 private:
  struct Loss {
    uint64_t count = 0;
    int64_t since_ms = 0;
  };
  void lose(const LogLine& line);

  const size_t max_bytes_;
  mutable std::mutex mutex_;  // guards the rest
  std::deque<LogLine> lines_;
  size_t bytes_ = 0;
  std::map<std::string, Loss> lost_;  // by namespace
};

// "<158>1 <time> <namespace> heroku router - <line>", with its length first (RFC 6587 octet counting).
void append_frame(const LogLine& line, std::string& out);

}  // namespace skiff::edge
