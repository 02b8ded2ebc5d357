#include "edge/log_batch.h"

#include <fmt/format.h>

#include <iterator>

#include "base/time.h"

namespace skiff::edge {
namespace {

constexpr std::string_view kLengthSpace = "000";  // what nearly every length needs

std::string time_text(int64_t unix_ms) {
  return format_rfc3339_micro(WallTime{std::chrono::milliseconds(unix_ms)});
}

}  // namespace

void add_count(LogBatch::Counts& counts, std::string_view log_namespace, const LogBatch::Count& more) {
  auto found = counts.find(log_namespace);
  if (found == counts.end()) found = counts.emplace(log_namespace, LogBatch::Count{0, more.since_ms}).first;
  found->second.lines += more.lines;
}

template <typename Write>
void LogBatch::add_frame(std::string_view log_namespace, int64_t unix_ms, const Write& write_line) {
  if (unix_ms != time_ms_) time_ = time_text(time_ms_ = unix_ms);
  const size_t begin = frames_.size();
  frames_ += kLengthSpace;
  frames_ += " <158>1 ";
  frames_ += time_;
  frames_ += ' ';
  frames_ += log_namespace;
  frames_ += " heroku router - ";
  write_line(frames_);
  frames_ += '\n';
  const fmt::format_int length(frames_.size() - begin - kLengthSpace.size() - 1);
  frames_.replace(begin, kLengthSpace.size(), length.data(), length.size());
}

void LogBatch::add(std::string_view log_namespace, int64_t unix_ms, const Access& access) {
  add_frame(log_namespace, unix_ms, [&](std::string& out) { append_access(access, out); });
  add_count(counts_, log_namespace, {1, unix_ms});
}

void LogBatch::add_loss(std::string_view log_namespace, const Count& lost) {
  add_frame(log_namespace, lost.since_ms, [&](std::string& out) {
    fmt::format_to(std::back_inserter(out),
                   "Error L10 (output buffer overflow): {} messages dropped since {}.", lost.lines,
                   time_text(lost.since_ms));
  });
  add_count(counts_, log_namespace, lost);
}

void LogBatch::append(LogBatch&& later) {
  if (empty()) {
    *this = std::move(later);
    return;
  }
  frames_ += later.frames_;
  for (const auto& [name, count] : later.counts_) add_count(counts_, name, count);
}

}  // namespace skiff::edge
