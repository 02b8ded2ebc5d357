// A line of an app's log as it is kept on disk: what people see, and whence it came, so that each line of a
// container is stored once whatever dies in between. Pure.
//
//   <origin> <RFC 3339 with nanoseconds> app[web.1]: text
//
// The origin is "-", the uid of a pod whose container wrote the line, or "<uid>/<mark>" for a line about that
// pod: the mark says what has been told about it. A file begins with "#<number of its first line>" and with
// what was known of each origin: "=<uid> <time> <lines of that time> <mark>".
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace skiff::platform {

struct LogLabel {
  WallTime time;
  std::string_view source;   // "app", "heroku"
  std::string_view process;  // "web.1", "router", "api"
};

// A line of a container's output.
struct OutputLine {
  WallTime time;
  std::string text;
};

struct LogRecord {
  std::string uid;   // "" for none
  std::string mark;  // "" for none
  WallTime time;
  std::string text;  // "app[web.1]: hello"
};

// How far a container's output is stored: lines may share a time, so they are counted.
struct LogPosition {
  WallTime time{};
  uint64_t lines = 0;  // of that very time

  friend bool operator==(const LogPosition&, const LogPosition&) = default;
};

struct LogOrigin {
  LogPosition position;
  std::string mark;
};
using LogOrigins = std::map<std::string, LogOrigin>;  // by uid

std::string encode_record(const LogRecord& record);  // with its newline
std::optional<LogRecord> parse_record(std::string_view line);
// "2026-01-02T03:04:05.123456+00:00 app[web.1]: hello\n"
std::string shown_line(const LogRecord& record);
// Takes the record's place in its origin.
void note_origin(LogOrigins& origins, const LogRecord& record);

std::string encode_file_head(uint64_t first_number, const LogOrigins& origins);
// Takes in a line of a file's head; false when it is none.
bool parse_head_line(std::string_view line, std::optional<uint64_t>& first_number, LogOrigins& origins);

// Which lines a reader wants; "" wants all.
struct LogFilter {
  std::string source;  // "app", "heroku"
  std::string dyno;    // "web.1", or "web" for all of that type
};
// `line` as shown_line() makes it.
bool wants(const LogFilter& filter, std::string_view line);

}  // namespace skiff::platform
