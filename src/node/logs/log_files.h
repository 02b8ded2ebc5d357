// The log files of one attempt at a container: the one being written and the rotated ones beside it.
//
// "0.log" is current, "0.log.20260102-030405" are older; rotation renames, so that a reader that holds the
// file open reads it to its end. Blocking, small.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace skiff::node {

constexpr int64_t kMaxLogBytes = 10 << 20;               // of a file before it is rotated
constexpr int64_t kMaxUnopenedBytes = 2 * kMaxLogBytes;  // of a file whose writer does not reopen
constexpr size_t kMaxLogFiles = 5;                       // of an attempt, the current one included

// Oldest first, the current one last.
std::vector<std::string> log_files(const std::string& path);
// Renames the current file when it is too large and drops the oldest; true when the writer must reopen, again
// and again until it has: nobody remembers that it was asked, so this holds over failures and restarts. What
// a writer adds meanwhile to the file it holds is bounded by losing it.
Result<bool> rotate_log(const std::string& path, WallTime now);

struct LogPosition {
  size_t file = 0;  // index into log_files()
  int64_t offset = 0;
};
// Where the last `lines` whole lines begin.
LogPosition find_tail(const std::vector<std::string>& files, int64_t lines);

}  // namespace skiff::node
