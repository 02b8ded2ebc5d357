#include "node/logs/log_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "node/logs/log_files.h"

namespace skiff::node {

namespace {
constexpr size_t kReadBytes = 64 << 10;
constexpr int kReadsAtOnce = 4;  // of lines that the query may not want, before the loop turns

struct Beginning {
  io::UniqueFd file;
  int64_t offset = 0;
};
Result<Beginning> find_beginning(const std::string& path, std::optional<int64_t> tail_lines) {
  const auto files = log_files(path);
  if (files.empty()) return Beginning{};
  LogPosition begin;
  if (tail_lines) begin = find_tail(files, *tail_lines);
  io::UniqueFd file(::open(files[begin.file].c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return fail_errno(errno, "open " + files[begin.file]);
  return Beginning{std::move(file), begin.offset};
}

// The writer did not reopen, and the file was emptied for it (log_files.h).
bool was_emptied(int fd, int64_t read_to) {
  struct stat info{};
  return ::fstat(fd, &info) == 0 && info.st_size < read_to;
}

bool same_file(int fd, const std::string& path) {
  struct stat open_file{}, named{};
  return ::fstat(fd, &open_file) == 0 && ::stat(path.c_str(), &named) == 0 &&
         open_file.st_ino == named.st_ino;
}
}  // namespace

LogReader::LogReader(io::Loop& loop, FolderWatches& watches, std::string path, LogQuery query)
    : loop_(loop), watches_(watches), path_(std::move(path)), query_(query), formatter_(query) {}
LogReader::~LogReader() = default;

io::Task<Result<void>> LogReader::open() {
  if (query_.follow) {
    auto watch = watches_.watch(path_.substr(0, path_.rfind('/')));
    if (!watch) co_return std::unexpected(watch.error());
    watch_ = std::move(*watch);
  }
  auto begin = co_await io::run_blocking(
      loop_, [path = path_, tail = query_.tail_lines] { return find_beginning(path, tail); });
  if (!begin) co_return std::unexpected(begin.error());
  file_ = std::move(begin->file);
  offset_ = begin->offset;
  co_return Result<void>{};
}

// The file after the one held, which may have been renamed since; the oldest when it was dropped or there was
// none. No descriptor when there is none yet.
io::UniqueFd LogReader::open_next() const {
  struct stat held{};
  const bool dropped = !file_ || ::fstat(file_.get(), &held) != 0 || held.st_nlink == 0;
  const auto files = log_files(path_);
  auto next = files.begin();
  if (!dropped) {
    next = std::ranges::find_if(files, [this](const auto& name) { return same_file(file_.get(), name); });
    if (next != files.end()) ++next;
  }
  if (next == files.end()) return {};
  return io::UniqueFd(::open(next->c_str(), O_RDONLY | O_CLOEXEC));
}

Result<LogReader::Piece> LogReader::read_some() {
  Piece piece;
  if (!file_) file_ = open_next();
  if (!file_) return piece;
  std::array<char, kReadBytes> buffer;
  for (int reads = 0; reads < kReadsAtOnce; ++reads) {
    const ssize_t got = ::pread(file_.get(), buffer.data(), buffer.size(), offset_);
    if (got < 0) return fail_errno(errno, "read a log");
    if (got == 0 && was_emptied(file_.get(), offset_)) offset_ = 0;
    if (got == 0) {
      if (next_) {
        file_ = std::move(next_);
        offset_ = 0;
        continue;
      }
      if (same_file(file_.get(), path_)) return piece;
      // Once there is another file the writer has left this one, but may have added to it since it was read.
      next_ = open_next();
      if (!next_) return piece;
      continue;
    }
    offset_ += got;
    rest_.append(buffer.data(), static_cast<size_t>(got));
    size_t begin = 0;
    for (size_t end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n', begin)) {
      piece.done = !formatter_.add(std::string_view(rest_).substr(begin, end - begin), piece.text);
      begin = end + 1;
      if (piece.done) return piece;
    }
    rest_.erase(0, begin);
    if (!piece.text.empty()) return piece;
  }
  piece.more = true;
  return piece;
}

io::Task<void> LogReader::wait(Duration limit) {
  if (!watch_) co_return;
  const io::TimerId timer = loop_.add_timer_after(limit, [this] { watch_->changed().set(); });
  struct Cancel {
    io::Loop& loop;
    io::TimerId id;
    ~Cancel() { loop.cancel_timer(id); }
  } cancel{loop_, timer};
  co_await watch_->changed().wait();
  watch_->changed().reset();
}

}  // namespace skiff::node
