#include "platform/logs/log_store.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>

#include "base/log.h"

namespace skiff::platform {

namespace {

constexpr size_t kTakeBytes = 64 << 10;  // of lines given at once

// The pieces of a line; only the first counts for its origin.
void add_pieces(std::vector<LogRecord>& records, LogRecord record, const LogLabel& label,
                std::string_view text) {
  do {
    const std::string_view piece = text.substr(0, kMaxLineBytes);
    text.remove_prefix(piece.size());
    record.text.assign(label.source).append("[").append(label.process).append("]: ").append(piece);
    // A record is a line, of the file and of the stream of events.
    std::replace_if(
        record.text.begin(), record.text.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
    records.push_back(record);
    record.uid.clear();
  } while (!text.empty());
}

void drop_oldest(LogOrigins& origins) {
  while (origins.size() > kMaxOrigins) {
    origins.erase(std::min_element(origins.begin(), origins.end(), [](const auto& a, const auto& b) {
      return a.second.position.time < b.second.position.time;
    }));
  }
}

}  // namespace

void LogStore::keep(Content& log, const LogRecord& record) {
  note_origin(log.origins, record);
  log.lines.push_back(shown_line(record));
  if (log.lines.size() > kKeptLines) {
    log.lines.pop_front();
    ++log.first;
  }
}

// Of more than are kept, the older ones never become readable.
void LogStore::keep_newest(AppLog& log, const std::vector<LogRecord>& records) {
  const size_t skipped = records.size() > kKeptLines ? records.size() - kKeptLines : 0;
  if (skipped > 0) {
    log.first = log.end() + skipped;
    log.lines.clear();
  }
  for (size_t i = 0; i < skipped; ++i) note_origin(log.origins, records[i]);
  for (size_t i = skipped; i < records.size(); ++i) keep(log, records[i]);
}

void LogStore::load_file(const std::string& path, Content& log) {
  const auto text = io::read_file(path);
  if (!text) return;
  const size_t whole = text->rfind('\n') == std::string::npos ? 0 : text->rfind('\n') + 1;
  if (whole < text->size() && ::truncate(path.c_str(), static_cast<off_t>(whole)) != 0) {
    log_warn("torn log line stays", {{"file", path}});
  }
  log.file_bytes = whole;
  for (size_t from = 0, end = 0; from < whole; from = end + 1) {
    end = text->find('\n', from);
    const std::string_view line = std::string_view(*text).substr(from, end - from);
    std::optional<uint64_t> number;
    if (parse_head_line(line, number, log.origins)) {
      if (number && log.lines.empty()) log.first = *number;
    } else if (const auto record = parse_record(line)) {
      keep(log, *record);
    }
  }
}

const std::string& LogStore::owner(const std::string& name) const {
  const auto found = shared_.find(name);
  return found == shared_.end() ? name : found->second;
}

LogStore::AppLog& LogStore::open(const std::string& name) {
  const std::string& app = owner(name);
  auto& slot = logs_[app];
  if (slot) return *slot;
  slot = std::make_shared<AppLog>(loop_);
  static_cast<Content&>(*slot) = read_content(path(app));
  return *slot;
}

LogStore::Content LogStore::read_content(const std::string& path) {
  Content out;
  load_file(path + ".1", out);
  out.file_bytes = 0;
  load_file(path, out);
  return out;
}

io::Task<void> LogStore::load(std::string app) {
  app = owner(app);
  if (logs_.contains(app)) co_return;
  auto content = co_await io::run_blocking(loop_, [path = path(app)] { return read_content(path); });
  if (!apps_.contains(app) || logs_.contains(app)) co_return;  // it went, or had a line meanwhile
  const auto log = std::make_shared<AppLog>(loop_);
  static_cast<Content&>(*log) = std::move(content);
  logs_[app] = log;
}

// One write: a kill leaves all of it or, at worst, a torn end that is cut off. So is what a full disk took.
void LogStore::write_whole(const std::string& app, AppLog& log, const std::string& text) {
  const ssize_t written = ::write(log.file.get(), text.data(), text.size());
  if (written == static_cast<ssize_t>(text.size())) {
    log.file_bytes += text.size();
    return;
  }
  if (written > 0 && ::ftruncate(log.file.get(), static_cast<off_t>(log.file_bytes)) != 0) {
    log_warn("torn log line stays", {{"file", path(app)}});
  }
}

// Continues the app's file, or begins one.
void LogStore::begin_file(const std::string& app, AppLog& log) {
  const bool full = log.file_bytes > kMaxFileBytes;
  if (full) {
    ::rename(path(app).c_str(), (path(app) + ".1").c_str());
    log.file_bytes = 0;
  }
  log.file = io::UniqueFd(::open(path(app).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!log.file) log_warn("app log can't be written", {{"file", path(app)}});
  if (!log.file || log.file_bytes > 0) return;
  drop_oldest(log.origins);
  const std::string head = encode_file_head(log.end(), log.origins);
  write_whole(app, log, head);
}

void LogStore::add(const std::string& name, const std::vector<LogRecord>& records) {
  const std::string& app = owner(name);
  if (!apps_.contains(app)) return;
  AppLog& log = open(app);
  if (!log.file || log.file_bytes > kMaxFileBytes) begin_file(app, log);
  std::string text;
  for (const auto& record : records) text += encode_record(record);
  write_whole(app, log, text);
  keep_newest(log, records);
  log.grown.set();
}

void LogStore::append(const std::string& app, const LogLabel& label, std::string_view text) {
  std::vector<LogRecord> records;
  add_pieces(records, {"", "", label.time, ""}, label, text);
  add(app, records);
}

void LogStore::append_frames(const std::string& app, std::string_view source, std::string_view process,
                             const std::vector<FramedLine>& lines) {
  std::vector<LogRecord> records;
  records.reserve(lines.size());
  for (const auto& line : lines)
    add_pieces(records, {"", "", line.time, ""}, {line.time, source, process}, line.text);
  if (!records.empty()) add(app, records);
}

void LogStore::append_output(const std::string& app, const std::string& uid, std::string_view process,
                             const std::vector<OutputLine>& lines) {
  std::vector<LogRecord> records;
  for (const auto& line : lines)
    add_pieces(records, {uid, "", line.time, ""}, {line.time, "app", process}, line.text);
  if (!records.empty()) add(app, records);
}

void LogStore::append_marked(const std::string& app, const std::string& uid, const std::string& mark,
                             const LogLabel& label, const std::vector<std::string>& texts) {
  std::vector<LogRecord> records;
  for (const auto& text : texts) {
    records.push_back({"", "", label.time, fmt::format("{}[{}]: {}", label.source, label.process, text)});
  }
  if (records.empty()) return;
  records.back().uid = uid;
  records.back().mark = mark;
  add(app, records);
}

LogOrigin LogStore::origin(const std::string& app, const std::string& uid) {
  const AppLog& log = open(app);
  const auto found = log.origins.find(uid);
  return found != log.origins.end() ? found->second : LogOrigin{};
}

void LogStore::forget(const std::string& app, const std::string& uid) {
  open(app).origins.erase(uid);
}

Result<void> LogStore::sweep() {
  auto names = io::list_directory(folder_);
  if (!names) return std::unexpected(names.error());
  for (const auto& name : *names) {
    const std::string app = name.substr(0, name.find('.'));
    if (!apps_.contains(app)) SKIFF_RETURN_IF_ERROR(io::remove_tree(folder_ + "/" + name));
  }
  return {};
}

void LogStore::remove(const std::string& app) {
  apps_.erase(app);
  if (const auto found = logs_.find(app); found != logs_.end()) {
    found->second->grown.set();
    logs_.erase(found);
  }
  ::unlink(path(app).c_str());
  ::unlink((path(app) + ".1").c_str());
}

void LogStore::rename(const std::string& from, const std::string& to) {
  for (const char* ending : {".1", ""}) {
    const std::string one = path(from) + ending, other = path(to) + ending;
    if (::rename(one.c_str(), other.c_str()) != 0 && errno != ENOENT) {
      log_warn("app log keeps its old name",
               {{"file", one}, {"error", fail_errno(errno, "rename").error().message}});
    }
  }
  if (apps_.erase(from) > 0) apps_.insert(to);
  const auto found = logs_.find(from);
  if (found == logs_.end()) return;
  // Another one: who reads the old one waits for lines under the old name.
  const auto log = std::make_shared<AppLog>(loop_);
  static_cast<Content&>(*log) = std::move(static_cast<Content&>(*found->second));
  log->file = std::move(found->second->file);
  found->second->grown.set();
  logs_.erase(found);
  logs_[to] = log;
}

LogStore::Cursor LogStore::last(const std::string& app, size_t lines, LogFilter filter) {
  const AppLog& log = open(app);
  Cursor cursor{app, std::move(filter), log.end(), logs_.at(owner(app))};
  while (lines > 0 && cursor.next > log.first) {
    --cursor.next;
    if (wants(cursor.filter, log.lines[cursor.next - log.first])) --lines;
  }
  return cursor;
}

LogStore::Cursor LogStore::resume(const std::string& app, uint64_t next, LogFilter filter) {
  const AppLog& log = open(app);
  return {app, std::move(filter), std::min(next, log.end()), logs_.at(owner(app))};
}

std::string LogStore::take(Cursor& cursor) {
  const AppLog& log = open(cursor.app);
  std::string out;
  if (cursor.next < log.first) {
    const std::string text = fmt::format(
        "heroku[logplex]: Error L11 (Tail buffer overflow) -> This tail session dropped {} messages",
        log.first - cursor.next);
    out = shown_line({"", "", loop_.wall_now(), text});
    cursor.next = log.first;
  }
  for (; cursor.next < log.end() && out.size() < kTakeBytes; ++cursor.next) {
    const std::string& line = log.lines[cursor.next - log.first];
    if (wants(cursor.filter, line)) out += line;
  }
  return out;
}

bool LogStore::has_more(const Cursor& cursor) {
  return cursor.next < open(cursor.app).end();
}

io::Task<Result<void>> LogStore::wait(Cursor cursor) {
  if (has_more(cursor)) co_return Result<void>{};
  AppLog& log = open(cursor.app);
  log.grown.reset();
  co_await log.grown.wait();
  co_return Result<void>{};
}

}  // namespace skiff::platform
