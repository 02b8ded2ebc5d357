#include "node/logs/log_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "base/strings.h"
#include "io/file.h"
#include "node/logs/cri.h"

namespace skiff::node {

namespace {

constexpr size_t kBlock = 64 << 10;

std::string stamp(WallTime now) {
  std::string text = format_rfc3339_micro(now);
  std::erase_if(text, [](char c) { return c == '-' || c == ':' || c == 'Z'; });
  return replace_all(text, "T", "-");
}

struct TailSearch {
  int64_t wanted;
  int64_t found = 0;
  std::string rest;  // the beginning of a line whose start lies in an earlier block
};

bool ends_line(std::string_view line) {
  const auto parsed = parse_log_line(line);
  return !parsed || parsed->whole;
}

// Walks one file from its end; the offset where the search is satisfied, nothing when it needs an older file.
std::optional<int64_t> search_file(int fd, int64_t size, TailSearch& search) {
  int64_t end = size;
  std::string block;
  while (end > 0) {
    const int64_t begin = std::max<int64_t>(0, end - static_cast<int64_t>(kBlock));
    block.resize(static_cast<size_t>(end - begin));
    if (::pread(fd, block.data(), block.size(), begin) != static_cast<ssize_t>(block.size())) return 0;
    block += search.rest;
    for (;;) {
      if (block.empty()) break;
      const size_t newline = block.size() >= 2 ? block.rfind('\n', block.size() - 2) : std::string::npos;
      if (newline == std::string::npos) break;
      const std::string_view line(block.data() + newline + 1, block.size() - newline - 2);
      if (ends_line(line) && ++search.found > search.wanted)
        return begin + static_cast<int64_t>(block.size());
      block.resize(newline + 1);
    }
    search.rest = block;
    end = begin;
  }
  if (!search.rest.empty() && ends_line(trim(search.rest)) && ++search.found > search.wanted) {
    return static_cast<int64_t>(search.rest.size());
  }
  search.rest.clear();
  return std::nullopt;
}

}  // namespace

std::vector<std::string> log_files(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = path.substr(0, slash), name = path.substr(slash + 1);
  std::vector<std::string> out;
  for (const auto& entry : io::list_directory(folder).value_or(std::vector<std::string>{})) {
    if (entry.starts_with(name + ".")) out.push_back(folder + "/" + entry);
  }
  std::sort(out.begin(), out.end());
  if (io::path_exists(path)) out.push_back(path);
  return out;
}

// The current file is gone though there are others: a writer was not told to reopen, or did not, and still
// writes to the newest. It appends, so that what it writes after a cut begins at the front.
static Result<bool> bound_unopened(const std::string& path) {
  const auto files = log_files(path);
  if (files.empty()) return false;
  struct stat info{};
  if (::stat(files.back().c_str(), &info) != 0) return fail_errno(errno, "stat " + files.back());
  if (info.st_size >= kMaxUnopenedBytes && ::truncate(files.back().c_str(), 0) != 0)
    return fail_errno(errno, "cut " + files.back());
  return true;
}

Result<bool> rotate_log(const std::string& path, WallTime now) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) {
    return errno == ENOENT ? bound_unopened(path) : Result<bool>(fail_errno(errno, "stat " + path));
  }
  if (info.st_size < kMaxLogBytes) return false;
  if (::rename(path.c_str(), (path + "." + stamp(now)).c_str()) != 0)
    return fail_errno(errno, "rotate " + path);
  auto files = log_files(path);
  for (size_t i = 0; i + kMaxLogFiles - 1 < files.size(); ++i) ::unlink(files[i].c_str());
  return true;
}

LogPosition find_tail(const std::vector<std::string>& files, int64_t lines) {
  TailSearch search{lines};
  for (size_t i = files.size(); i-- > 0;) {
    io::UniqueFd file(::open(files[i].c_str(), O_RDONLY | O_CLOEXEC));
    struct stat info{};
    if (!file || ::fstat(file.get(), &info) != 0) continue;
    if (lines == 0) return {i, info.st_size};
    const auto offset = search_file(file.get(), info.st_size, search);
    if (offset) return {i, *offset};
  }
  return {};
}

}  // namespace skiff::node
