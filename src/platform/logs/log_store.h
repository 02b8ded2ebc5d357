// The log of each app: the newest lines in memory for readers, all of them on disk within a bound.
//
// A line is "<RFC 3339 with microseconds> source[process]: message". One loop.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "io/loop.h"
#include "io/sync.h"

namespace skiff::platform {

constexpr size_t kKeptLines = 1500;         // of each app, for readers
constexpr size_t kMaxLineBytes = 10'000;    // longer lines are split
constexpr size_t kMaxFileBytes = 16 << 20;  // of an app's log file; then it becomes <app>.log.1

// "2026-01-02T03:04:05.123456+00:00 app[web.1]: hello"
std::string format_log_line(WallTime time, std::string_view source, std::string_view process,
                            std::string_view text);

class LogStore {
 public:
  LogStore(io::Loop& loop, std::string folder) : loop_(loop), folder_(std::move(folder)) {}
  void append(const std::string& app, WallTime time, std::string_view source, std::string_view process,
              std::string_view text);
  void remove(const std::string& app);

  // A place in an app's log. next() gives the lines after it and moves it.
  struct Cursor {
    std::string app;
    uint64_t next = 0;
  };
  Cursor last(const std::string& app, size_t lines);
  // What is there now, "" when nothing; says so when lines were dropped before they were read.
  std::string take(Cursor& cursor);
  // Waits for more.
  io::Task<void> wait(Cursor cursor);

 private:
  struct AppLog {
    explicit AppLog(io::Loop& loop) : grown(loop) {}
    std::deque<std::string> lines;
    uint64_t first = 0;  // number of lines.front()
    size_t file_bytes = 0;
    bool loaded = false;
    io::Event grown;
  };
  AppLog& open(const std::string& app);
  void write_file(const std::string& app, AppLog& log, const std::string& line);
  std::string path(const std::string& app) const { return folder_ + "/" + app + ".log"; }
  io::Loop& loop_;
  std::string folder_;
  std::map<std::string, std::unique_ptr<AppLog>> logs_;
};

}  // namespace skiff::platform
