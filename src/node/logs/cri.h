// Lines of a container's log file: "<RFC3339Nano> stdout|stderr F|P <text>", and what a reader asks of them.
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace skiff::node {

struct LogLine {
  std::string_view time;  // as written
  std::string_view text;
  bool whole = true;  // F; a P piece has no line end
};
// Nothing when the line is malformed. The views point into `line`, which has no newline.
std::optional<LogLine> parse_log_line(std::string_view line);

struct LogQuery {
  bool follow = false;
  bool previous = false;
  bool timestamps = false;
  std::optional<int64_t> tail_lines;
  std::optional<int64_t> limit_bytes;
  std::optional<WallTime> since;
};
// From the query string of the request; InvalidArgument names the parameter.
Result<LogQuery> parse_log_query(std::string_view query, WallTime now);

// Turns file lines into what the client sees.
class LogFormatter {
 public:
  explicit LogFormatter(const LogQuery& query) : query_(query), left_(query.limit_bytes.value_or(-1)) {}
  // Appends to `out`; false when the byte limit is reached.
  bool add(std::string_view line, std::string& out);

 private:
  LogQuery query_;
  int64_t left_;  // -1: no limit
  bool in_line_ = false;
};

}  // namespace skiff::node
