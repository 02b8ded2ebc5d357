#include "platform/logs/log_store.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include "base/strings.h"
#include "io/file.h"

namespace skiff::platform {

std::string format_log_line(WallTime time, std::string_view source, std::string_view process,
                            std::string_view text) {
  std::string stamp = format_rfc3339_micro(time);
  stamp.pop_back();
  return fmt::format("{}+00:00 {}[{}]: {}\n", stamp, source, process, text);
}

LogStore::AppLog& LogStore::open(const std::string& app) {
  auto& log = logs_[app];
  if (!log) log = std::make_unique<AppLog>(loop_);
  if (log->loaded) return *log;
  log->loaded = true;
  const auto text = io::read_file(path(app));
  if (!text) return *log;
  log->file_bytes = text->size();
  for (auto& line : split(*text, '\n')) {
    if (line.empty()) continue;
    log->lines.push_back(line + "\n");
    if (log->lines.size() > kKeptLines) {
      log->lines.pop_front();
      ++log->first;
    }
  }
  return *log;
}

void LogStore::write_file(const std::string& app, AppLog& log, const std::string& line) {
  if (log.file_bytes > kMaxFileBytes) {
    ::rename(path(app).c_str(), (path(app) + ".1").c_str());
    log.file_bytes = 0;
  }
  // One O_APPEND write a line: another instance of this process would not tear it.
  io::UniqueFd fd(::open(path(app).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!fd) return;
  const ssize_t written = ::write(fd.get(), line.data(), line.size());
  if (written > 0) log.file_bytes += static_cast<size_t>(written);
}

void LogStore::append(const std::string& app, WallTime time, std::string_view source,
                      std::string_view process, std::string_view text) {
  AppLog& log = open(app);
  do {
    const std::string_view piece = text.substr(0, kMaxLineBytes);
    text.remove_prefix(piece.size());
    log.lines.push_back(format_log_line(time, source, process, piece));
    write_file(app, log, log.lines.back());
    if (log.lines.size() > kKeptLines) {
      log.lines.pop_front();
      ++log.first;
    }
  } while (!text.empty());
  log.grown.set();
}

void LogStore::remove(const std::string& app) {
  logs_.erase(app);
  ::unlink(path(app).c_str());
  ::unlink((path(app) + ".1").c_str());
}

LogStore::Cursor LogStore::last(const std::string& app, size_t lines) {
  const AppLog& log = open(app);
  const size_t shown = std::min(lines, log.lines.size());
  return {app, log.first + log.lines.size() - shown};
}

std::string LogStore::take(Cursor& cursor) {
  const AppLog& log = open(cursor.app);
  std::string out;
  if (cursor.next < log.first) {
    out = format_log_line(
        loop_.wall_now(), "heroku", "logplex",
        fmt::format("Error L11 (Tail buffer overflow) -> This tail session dropped {} messages",
                    log.first - cursor.next));
    cursor.next = log.first;
  }
  for (; cursor.next < log.first + log.lines.size(); ++cursor.next) out += log.lines[cursor.next - log.first];
  return out;
}

io::Task<void> LogStore::wait(Cursor cursor) {
  AppLog& log = open(cursor.app);
  if (cursor.next < log.first + log.lines.size()) co_return;
  log.grown.reset();
  co_await log.grown.wait();
}

}  // namespace skiff::platform
