#include "platform/logs/log_store.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include "io/file.h"
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
}  // namespace

TEST_CASE("a log line has Heroku's form") {
  const WallTime time = *parse_rfc3339("2026-01-02T03:04:05.123456Z");
  CHECK(format_log_line(time, "app", "web.1", "hello") ==
        "2026-01-02T03:04:05.123456+00:00 app[web.1]: hello\n");
}

TEST_CASE("a reader gets the last lines, then what comes after") {
  Folder folder;
  io::SimLoop loop;
  LogStore store(loop, folder.path);
  for (const char* text : {"one", "two", "three"})
    store.append("shop", loop.wall_now(), "app", "web.1", text);
  auto cursor = store.last("shop", 2);
  const auto first = store.take(cursor);
  CHECK(first.find("one") == std::string::npos);
  CHECK(first.find("two") != std::string::npos);
  CHECK(store.take(cursor).empty());
  store.append("shop", loop.wall_now(), "heroku", "router", "four");
  CHECK(store.take(cursor).find("heroku[router]: four") != std::string::npos);
}

TEST_CASE("a slow reader is told how many lines it missed") {
  Folder folder;
  io::SimLoop loop;
  LogStore store(loop, folder.path);
  auto cursor = store.last("shop", 10);
  for (size_t i = 0; i < kKeptLines + 7; ++i) store.append("shop", loop.wall_now(), "app", "web.1", "x");
  CHECK(store.take(cursor).find("dropped 7 messages") != std::string::npos);
}

TEST_CASE("lines are there after a restart") {
  Folder folder;
  io::SimLoop loop;
  LogStore(loop, folder.path).append("shop", loop.wall_now(), "app", "web.1", "kept");
  LogStore again(loop, folder.path);
  auto cursor = again.last("shop", 10);
  CHECK(again.take(cursor).find("kept") != std::string::npos);
}

TEST_CASE("a line above the bound is split") {
  Folder folder;
  io::SimLoop loop;
  LogStore store(loop, folder.path);
  auto cursor = store.last("shop", 10);
  store.append("shop", loop.wall_now(), "app", "web.1", std::string(kMaxLineBytes + 1, 'x'));
  const std::string text = store.take(cursor);
  CHECK(std::count(text.begin(), text.end(), '\n') == 2);
}
