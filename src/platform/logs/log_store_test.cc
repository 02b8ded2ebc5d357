#include "platform/logs/log_store.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "io/file.h"
#include "io/scope.h"
#include "io/sim_loop.h"

using namespace skiff;
using namespace skiff::platform;

namespace {

struct Folder {
  Folder() { path = ::mkdtemp(name); }
  ~Folder() { auto removed = io::remove_tree(path); }
  char name[32] = "/tmp/skiff-logs-XXXXXX";
  std::string path;
};

struct Rig {
  Folder folder;
  io::SimLoop loop;
  LogStore store{loop, folder.path};
  Rig() { store.begin("shop"); }

  LogLabel label(std::string_view source = "app", std::string_view process = "web.1") {
    return {loop.wall_now(), source, process};
  }
  void write(const std::string& uid, const std::string& text) {
    store.append_output("shop", uid, "web.1", {{loop.wall_now(), text}});
  }
  void say(std::string_view text) { store.append("shop", label(), text); }
  std::string all() {
    auto cursor = store.last("shop", kKeptLines);
    std::string out;
    while (store.has_more(cursor)) out += store.take(cursor);
    return out;
  }
};

// While it lives, files can't grow beyond `bytes`.
struct FullDisk {
  explicit FullDisk(size_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before);
    const rlimit bound{bytes, before.rlim_max};
    handler = ::signal(SIGXFSZ, SIG_IGN);
    ::setrlimit(RLIMIT_FSIZE, &bound);
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before);
    ::signal(SIGXFSZ, handler);
  }
  rlimit before{};
  sighandler_t handler;
};

io::Task<void> note_end(io::Task<Result<void>> waiting, bool& ended) {
  auto result = co_await std::move(waiting);
  ended = true;
}

size_t lines_of(const std::string& text) {
  return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_CASE("a reader gets the last lines, then what comes after") {
  Rig rig;
  for (const char* text : {"one", "two", "three"}) rig.say(text);
  auto cursor = rig.store.last("shop", 2);
  const auto first = rig.store.take(cursor);
  CHECK(first.find("one") == std::string::npos);
  CHECK(first.find("two") != std::string::npos);
  CHECK(rig.store.take(cursor).empty());
  rig.store.append("shop", rig.label("heroku", "router"), "four");
  CHECK(rig.store.take(cursor).find("heroku[router]: four") != std::string::npos);
}

TEST_CASE("a reader with a filter gets the last lines that it wants") {
  Rig rig;
  for (int i = 0; i < 5; ++i) {
    rig.store.append("shop", rig.label("app", "worker.1"), "wanted");
    rig.store.append("shop", rig.label("heroku", "router"), "other");
  }
  auto cursor = rig.store.last("shop", 3, {"app", "worker"});
  const auto text = rig.store.take(cursor);
  CHECK(lines_of(text) == 3);
  CHECK(text.find("other") == std::string::npos);
}

TEST_CASE("a slow reader is told how many lines it missed") {
  Rig rig;
  auto cursor = rig.store.last("shop", 10);
  for (size_t i = 0; i < kKeptLines + 7; ++i) rig.say("x");
  CHECK(rig.store.take(cursor).find("dropped 7 messages") != std::string::npos);
}

TEST_CASE("lines, positions and numbers are there after a restart") {
  Rig rig;
  rig.write("pod-1", "kept");
  rig.write("pod-1", "kept too");
  rig.store.append_marked("shop", "pod-1", "1.up", rig.label("heroku"), {"a", "b"});
  auto reader = rig.store.last("shop", 1);
  CHECK(lines_of(rig.store.take(reader)) == 1);

  LogStore again(rig.loop, rig.folder.path);
  again.begin("shop");
  CHECK(again.origin("shop", "pod-1").position == LogPosition{rig.loop.wall_now(), 2});
  CHECK(again.origin("shop", "pod-1").mark == "1.up");
  auto resumed = again.resume("shop", reader.next);
  CHECK(again.take(resumed).empty());
  again.append("shop", rig.label(), "after");
  CHECK(lines_of(again.take(resumed)) == 1);
}

TEST_CASE("a torn line is cut off and its place does not count") {
  Rig rig;
  rig.write("pod-1", "whole");
  const std::string file = rig.folder.path + "/shop.log";
  io::UniqueFd fd(::open(file.c_str(), O_WRONLY | O_APPEND));
  REQUIRE(::write(fd.get(), "pod-1 2026-01-01T00:0", 21) == 21);
  LogStore again(rig.loop, rig.folder.path);
  again.begin("shop");
  CHECK(again.origin("shop", "pod-1").position.lines == 1);
  again.append("shop", rig.label(), "next");
  LogStore third(rig.loop, rig.folder.path);
  auto cursor = third.last("shop", 10);
  CHECK(lines_of(third.take(cursor)) == 2);
}

TEST_CASE("what a power cut leaves of a log, zeros at its end or nothing, is read and written on") {
  Rig rig;
  rig.write("pod-1", "whole");
  const std::string file = rig.folder.path + "/shop.log";
  const auto size = static_cast<off_t>(io::read_file(file)->size());
  REQUIRE(::truncate(file.c_str(), size + 5000) == 0);
  LogStore again(rig.loop, rig.folder.path);
  again.begin("shop");
  again.append("shop", rig.label(), "next");
  auto cursor = again.last("shop", 10);
  CHECK(lines_of(again.take(cursor)) == 2);
  CHECK(io::read_file(file)->find('\0') == std::string::npos);
  REQUIRE(::truncate(file.c_str(), 0) == 0);
  LogStore third(rig.loop, rig.folder.path);
  third.begin("shop");
  third.append("shop", rig.label(), "after");
  cursor = third.last("shop", 10);
  CHECK(lines_of(third.take(cursor)) == 1);
}

TEST_CASE("a log that is loaded in the pool is the same, and does not undo a line that came meanwhile") {
  Rig rig;
  for (int i = 0; i < 5; ++i) rig.say("line");
  LogStore again(rig.loop, rig.folder.path);
  again.begin("shop");
  io::TaskScope scope(rig.loop);
  scope.spawn(again.load("shop"));
  SUBCASE("in peace") {}
  SUBCASE("beside a line") {
    again.append("shop", rig.label(), "line");
  }
  rig.loop.run_until_idle();
  again.append("shop", rig.label(), "last");
  auto cursor = again.last("shop", 10);
  const std::string text = again.take(cursor);
  CHECK(lines_of(text) >= 6);
  CHECK(text.ends_with("last\n"));
  LogStore third(rig.loop, rig.folder.path);
  cursor = third.last("shop", 10);
  CHECK(third.take(cursor) == text);
}

TEST_CASE("files stay within their bound and positions outlive the rotations") {
  Rig rig;
  rig.write("quiet", "once");
  const std::string long_line(kMaxLineBytes, 'x');
  for (size_t i = 0; i < 3 * kMaxFileBytes / kMaxLineBytes; ++i) rig.say(long_line);
  auto now = io::read_file(rig.folder.path + "/shop.log"),
       before = io::read_file(rig.folder.path + "/shop.log.1");
  REQUIRE((now && before));
  CHECK(now->size() + before->size() < 2 * kMaxFileBytes + 3 * kMaxLineBytes);
  LogStore again(rig.loop, rig.folder.path);
  again.begin("shop");
  CHECK(again.origin("shop", "quiet").position.lines == 1);
  CHECK(again.last("shop", 0).next == rig.store.last("shop", 0).next);
}

TEST_CASE("more lines at once than are kept leave the newest, with their numbers and times") {
  Rig rig;
  rig.say("before");
  const WallTime time = rig.loop.wall_now() - std::chrono::seconds(9);
  std::vector<std::string> texts;
  for (size_t i = 0; i < kKeptLines + 10; ++i) texts.push_back("line " + std::to_string(i));
  std::vector<FramedLine> lines;
  for (const auto& text : texts) lines.push_back({"shop", time, text});
  rig.store.append_frames("shop", "heroku", "router", lines);
  const std::string shown = rig.all();
  CHECK(shown.starts_with(shown_line({"", "", time, "heroku[router]: line 10"})));
  CHECK(shown.ends_with(shown_line({"", "", time, "heroku[router]: " + texts.back()})));
  CHECK(rig.store.last("shop", 1).next == kKeptLines + 10);

  LogStore restarted(rig.loop, rig.folder.path);
  restarted.begin("shop");
  CHECK(restarted.last("shop", 1).next == kKeptLines + 10);
}

TEST_CASE("a line above the bound is split and counts once") {
  Rig rig;
  rig.write("pod-1", std::string(kMaxLineBytes + 1, 'x'));
  CHECK(lines_of(rig.all()) == 2);
  CHECK(rig.store.origin("shop", "pod-1").position.lines == 1);
}

TEST_CASE("a text with line ends is one line") {
  Rig rig;
  rig.say("one\r\ntwo\rthree");
  CHECK(lines_of(rig.all()) == 1);
  CHECK(rig.all().find("one  two three") != std::string::npos);
}

TEST_CASE("a removed log begins anew") {
  Rig rig;
  rig.say("old");
  const uint64_t next = rig.store.last("shop", 0).next;
  rig.store.remove("shop");
  rig.say("from a dyno that is still being stopped");
  rig.store.begin("shop");
  CHECK(rig.all().empty());
  CHECK(rig.store.resume("shop", next).next == 0);
}

TEST_CASE("a reader of a removed log waits no longer, though another has begun") {
  Rig rig;
  const auto cursor = rig.store.last("shop", 0);
  bool woken = false;
  io::TaskScope scope(rig.loop);
  scope.spawn(note_end(rig.store.wait(cursor), woken));
  rig.loop.advance(std::chrono::seconds(1));
  CHECK_FALSE(woken);
  CHECK_FALSE(LogStore::is_removed(cursor));
  rig.store.remove("shop");
  rig.store.begin("shop");
  rig.say("new");
  rig.loop.advance(std::chrono::seconds(1));
  CHECK(woken);
  CHECK(LogStore::is_removed(cursor));
}

TEST_CASE("files of apps that are gone are swept away") {
  Rig rig;
  rig.store.begin("gone");
  rig.store.append("gone", rig.label(), "x");
  rig.say("kept");
  LogStore again(rig.loop, rig.folder.path);
  again.begin("shop");
  REQUIRE(again.sweep().has_value());
  CHECK(io::list_directory(rig.folder.path).value() == std::vector<std::string>{"shop.log"});
}

TEST_CASE("a line for which the disk has too little room leaves none of it in the file") {
  Rig rig;
  const std::string file = rig.folder.path + "/shop.log";
  rig.say("one");
  const auto before = io::read_file(file).value();
  {
    const FullDisk full(before.size() + 10);
    rig.say("two, which is in the memory only");
  }
  CHECK(io::read_file(file).value() == before);
  rig.say("three");
  LogStore again(rig.loop, rig.folder.path);
  auto cursor = again.last("shop", 10);
  CHECK(lines_of(again.take(cursor)) == 2);
}

TEST_CASE("a renamed app's log goes on with its lines, numbers and origins, and its readers hear of it") {
  Rig rig;
  rig.write("uid", "before");
  rig.store.share("store", "shop");
  rig.store.append("store", rig.label("heroku", "router"), "asked under the new name");
  auto shared = rig.store.last("store", 10);
  CHECK(rig.store.take(shared) == rig.all());
  auto reader = rig.store.last("shop", 0);
  io::TaskScope scope(rig.loop);
  bool told = false;
  const auto wait = [](Rig& world, LogStore::Cursor cursor, bool& out) -> io::Task<void> {
    auto waited = co_await world.store.wait(std::move(cursor));
    out = true;
  };
  scope.spawn(wait(rig, reader, told));
  rig.loop.run_until_idle();
  CHECK_FALSE(told);

  rig.store.rename("shop", "store");
  rig.store.end_sharing("store");
  rig.store.share("shop", "store");
  rig.loop.run_until_idle();
  CHECK(told);
  CHECK(LogStore::is_removed(reader));
  rig.say("said under the old name");
  auto cursor = rig.store.last("store", 10);
  const std::string text = rig.store.take(cursor);
  for (const char* line : {"before", "asked under the new name", "said under the old name"})
    CHECK(text.find(line) != std::string::npos);
  CHECK(rig.store.origin("store", "uid").position.lines == 1);
  CHECK_FALSE(io::path_exists(rig.folder.path + "/shop.log"));

  LogStore next{rig.loop, rig.folder.path};
  next.begin("store");
  REQUIRE(next.sweep());
  auto again = next.last("store", 10);
  CHECK(next.take(again) == text);
  CHECK(next.origin("store", "uid").position.lines == 1);
}
