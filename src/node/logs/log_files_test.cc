#include "node/logs/log_files.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/file.h"

using namespace skiff;
using namespace skiff::node;

namespace {
struct Folder {
  std::string path = "/tmp/skiff-log-test-XXXXXX";
  Folder() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  ~Folder() { auto removed = io::remove_tree(path); }
};
std::string line(const std::string& text) {
  return "2026-01-01T00:00:00Z stdout F " + text + "\n";
}
// What a reader that begins there sees.
std::string at(const std::vector<std::string>& files, LogPosition position) {
  std::string out = io::read_file(files[position.file])->substr(static_cast<size_t>(position.offset));
  for (size_t i = position.file + 1; i < files.size(); ++i) out += *io::read_file(files[i]);
  return out;
}
}  // namespace

TEST_CASE("the tail is found across rotated files") {
  Folder folder;
  const std::string path = folder.path + "/0.log";
  REQUIRE(io::write_file_atomic(path + ".20260101-000000", line("a") + line("b")));
  REQUIRE(io::write_file_atomic(path, line("c") + line("d")));
  const auto files = log_files(path);
  REQUIRE(files.size() == 2);
  CHECK(at(files, find_tail(files, 1)) == line("d"));
  CHECK(at(files, find_tail(files, 2)) == line("c") + line("d"));
  CHECK(find_tail(files, 3).file == 0);
  CHECK(at(files, find_tail(files, 3)) == line("b") + line("c") + line("d"));
  CHECK(find_tail(files, 100).offset == 0);
  CHECK(at(files, find_tail(files, 0)).empty());
}

TEST_CASE("a tail larger than a block is found") {
  Folder folder;
  std::string text;
  for (int i = 0; i < 5000; ++i) text += line("number " + std::to_string(i));
  REQUIRE(io::write_file_atomic(folder.path + "/0.log", text));
  const auto files = log_files(folder.path + "/0.log");
  const auto tail = at(files, find_tail(files, 3000));
  CHECK(tail.starts_with(line("number 2000")));
}

TEST_CASE("rotation goes on, within its bound, when the writer did not reopen") {
  Folder folder;
  const std::string path = folder.path + "/0.log";
  io::UniqueFd writer(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  const std::string chunk(1 << 20, 'x');
  const auto grow = [&](int chunks) {
    for (int i = 0; i < chunks; ++i) REQUIRE(::write(writer.get(), chunk.data(), chunk.size()) > 0);
  };
  grow(11);
  CHECK(*rotate_log(path, {}));
  for (int round = 0; round < 3; ++round) {
    grow(20);
    CHECK(*rotate_log(path, WallTime(std::chrono::seconds(round + 1))));
    struct stat info{};
    REQUIRE(::fstat(writer.get(), &info) == 0);
    CHECK(info.st_size == 0);
    CHECK(log_files(path).size() == 1);
  }
  writer = io::UniqueFd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  CHECK(!*rotate_log(path, {}));
  grow(11);
  CHECK(*rotate_log(path, WallTime(std::chrono::seconds(9))));
  CHECK(log_files(path).size() == 2);
}

TEST_CASE("a large file is rotated and only the newest are kept") {
  Folder folder;
  const std::string path = folder.path + "/0.log";
  CHECK(!*rotate_log(path, {}));
  for (int i = 0; i < 7; ++i) {
    REQUIRE(io::write_file_atomic(path, std::string(kMaxLogBytes, 'x')));
    CHECK(*rotate_log(path, WallTime(std::chrono::seconds(i))));
  }
  CHECK(log_files(path).size() == kMaxLogFiles - 1);
}
