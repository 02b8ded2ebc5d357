// The log of each app: the newest lines in memory for readers, more of them on disk within a bound. Lines
// about apps that are not there (any more) are dropped.
//
// The file is the only record: what was read of a pod's output follows from it, so a platform that was killed
// goes on without a gap or a line twice (log_record.h). Lines have numbers that only grow; readers resume by
// them. A line that a kill tore is cut off. One loop; writes go to the page cache, nothing is synced.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "io/file.h"
#include "io/loop.h"
#include "io/sync.h"
#include "platform/logs/frames.h"
#include "platform/logs/log_record.h"

namespace skiff::platform {

constexpr size_t kKeptLines = 1500;       // of each app, for readers; as Heroku
constexpr size_t kMaxLineBytes = 10'000;  // longer lines are split; as Heroku
constexpr size_t kMaxFileBytes =
    4 << 20;                         // of an app's log file; then it becomes <app>.log.1: twice this on disk
constexpr size_t kMaxOrigins = 500;  // of an app that a new file remembers; the newest

class LogStore {
  struct AppLog;

 public:
  LogStore(io::Loop& loop, std::string folder) : loop_(loop), folder_(std::move(folder)) {}
  // The app is there: its lines are kept until remove().
  void begin(const std::string& app) { apps_.insert(owner(app)); }
  // While an app is renamed it has two names: lines about `name` are those of `app`, for readers too.
  void share(const std::string& name, const std::string& app) { shared_[name] = app; }
  void end_sharing(const std::string& name) { shared_.erase(name); }
  // The log goes on under the other name: its files, numbers and origins. Readers find it removed. Fine when
  // it was done before. The caller syncs the folder.
  void rename(const std::string& from, const std::string& to);
  // Reads what the files of an app hold in the pool, so that its first reader or line does not hold the loop.
  io::Task<void> load(std::string app);
  // Removes the files of apps that did not begin.
  Result<void> sweep();
  void append(const std::string& app, const LogLabel& label, std::string_view text);
  // Lines of one process, with a single write.
  void append_frames(const std::string& app, std::string_view source, std::string_view process,
                     const std::vector<FramedLine>& lines);
  // Lines that a pod's container wrote: its position moves on.
  void append_output(const std::string& app, const std::string& uid, std::string_view process,
                     const std::vector<OutputLine>& lines);
  // Lines about a pod, and the mark that says they were told: all of them or none survive a kill.
  void append_marked(const std::string& app, const std::string& uid, const std::string& mark,
                     const LogLabel& label, const std::vector<std::string>& texts);
  // What is known of a pod; empty before its first line.
  LogOrigin origin(const std::string& app, const std::string& uid);
  void forget(const std::string& app, const std::string& uid);
  void remove(const std::string& app);

  // A place in an app's log, for one who wants some of its lines.
  struct Cursor {
    std::string app;
    LogFilter filter = {};
    uint64_t next = 0;  // number of the next line
    std::weak_ptr<AppLog> log = {};
  };
  // Before the last `lines` that the filter wants.
  Cursor last(const std::string& app, size_t lines, LogFilter filter = {});
  // Where a reader left off; the end when the log was begun anew since.
  Cursor resume(const std::string& app, uint64_t next, LogFilter filter = {});
  // Lines that are there now, and moves the cursor; says so when lines were dropped before they were read.
  std::string take(Cursor& cursor);
  bool has_more(const Cursor& cursor);
  // There is nothing more to wait for: the log was removed, also when it was begun anew since.
  static bool is_removed(const Cursor& cursor) { return cursor.log.expired(); }
  // Waits for more lines, or the log's removal.
  io::Task<Result<void>> wait(Cursor cursor);

 private:
  struct Content {
    std::deque<std::string> lines;  // as shown
    uint64_t first = 0;             // number of lines.front()
    LogOrigins origins;
    size_t file_bytes = 0;
  };
  struct AppLog : Content {
    explicit AppLog(io::Loop& loop) : grown(loop) {}
    io::UniqueFd file;
    io::Event grown;
    uint64_t end() const { return first + lines.size(); }
  };
  // Whose log the lines about `name` are in.
  const std::string& owner(const std::string& name) const;
  AppLog& open(const std::string& app);
  static Content read_content(const std::string& path);
  static void load_file(const std::string& path, Content& log);
  void add(const std::string& app, const std::vector<LogRecord>& records);
  static void keep(Content& log, const LogRecord& record);
  void keep_newest(AppLog& log, const std::vector<LogRecord>& records);
  void begin_file(const std::string& app, AppLog& log);
  void write_whole(const std::string& app, AppLog& log, const std::string& text);
  std::string path(const std::string& app) const { return folder_ + "/" + app + ".log"; }
  io::Loop& loop_;
  std::string folder_;
  std::set<std::string> apps_;
  std::map<std::string, std::string> shared_;
  std::map<std::string, std::shared_ptr<AppLog>> logs_;
};

}  // namespace skiff::platform
