// Router lines in the form in which the platform takes them: frames of RFC 6587's octet counting, each
// "<158>1 <time> <namespace> heroku router - <line>". And how many of them each namespace has, should they be
// lost. A line is written once, here, and from then on only moved. One thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "edge/report.h"

namespace skiff::edge {

class LogBatch {
 public:
  struct Count {
    uint64_t lines = 0;
    int64_t since_ms = 0;  // Unix time of the first
  };
  using Counts = std::map<std::string, Count, std::less<>>;  // by namespace

  void add(std::string_view log_namespace, int64_t unix_ms, const Access& access);
  // The line that tells of lost ones (Heroku's L10); it stands for them when it is lost itself.
  void add_loss(std::string_view log_namespace, const Count& lost);
  void append(LogBatch&& later);

  const std::string& frames() const { return frames_; }
  std::string take_frames() { return std::move(frames_); }
  const Counts& counts() const { return counts_; }
  size_t bytes() const { return frames_.size(); }
  bool empty() const { return frames_.empty(); }

 private:
  template <typename Write>
  void add_frame(std::string_view log_namespace, int64_t unix_ms, const Write& write_line);

  std::string frames_;
  Counts counts_;
  std::string time_;  // of time_ms_: many lines share a millisecond
  int64_t time_ms_ = -1;
};

void add_count(LogBatch::Counts& counts, std::string_view log_namespace, const LogBatch::Count& more);

}  // namespace skiff::edge
