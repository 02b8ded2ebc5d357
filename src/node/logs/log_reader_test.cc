#include "node/logs/log_reader.h"

#include <doctest/doctest.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>

#include "io/scope.h"
#include "io/sim_loop.h"
#include "node/logs/log_files.h"

using namespace skiff;
using namespace skiff::node;

namespace {

struct Rig {
  io::SimLoop loop{1};
  FolderWatches watches{loop};
  std::string folder = "/tmp/skiff-log-reader-XXXXXX";
  std::string path;

  Rig() {
    REQUIRE(::mkdtemp(folder.data()) != nullptr);
    path = folder + "/0.log";
  }
  ~Rig() { auto removed = io::remove_tree(folder); }
  void write(const std::string& text) {
    std::ofstream(path, std::ios::app) << "2026-01-01T00:00:00Z stdout F " << text << "\n";
  }
  void rotate(const std::string& stamp) {
    REQUIRE(::rename(path.c_str(), (path + "." + stamp).c_str()) == 0);
  }
  static io::Task<void> open_one(LogReader* reader, bool* opened) {
    auto done = co_await reader->open();
    *opened = done.has_value();
  }
  void open(LogReader& reader) {
    bool opened = false;
    io::TaskScope scope(loop);
    scope.spawn(open_one(&reader, &opened));
    loop.run_until_idle();
    REQUIRE(opened);
  }
  void drop(const std::string& stamp) { REQUIRE(::unlink((path + "." + stamp).c_str()) == 0); }
  // All that is there.
  std::string read(LogReader& reader) {
    std::string out;
    for (;;) {
      const auto piece = reader.read_some();
      REQUIRE(piece.has_value());
      if (piece->text.empty() && !piece->more) return out;
      out += piece->text;
    }
  }
};

}  // namespace

TEST_CASE("a reader goes through rotated files in order and follows the one being written") {
  Rig rig;
  rig.write("a");
  rig.rotate("1");
  rig.write("b");
  LogReader reader(rig.loop, rig.watches, rig.path, {});
  rig.open(reader);
  CHECK(rig.read(reader) == "a\nb\n");
  rig.write("c");
  rig.rotate("2");
  CHECK(rig.read(reader) == "c\n");
  rig.write("d");
  rig.rotate("3");
  rig.write("e");
  CHECK(rig.read(reader) == "d\ne\n");
}

TEST_CASE("a reader that begins before anything was written finds the first file") {
  Rig rig;
  LogReader reader(rig.loop, rig.watches, rig.path, {});
  rig.open(reader);
  CHECK(rig.read(reader).empty());
  rig.write("a");
  CHECK(rig.read(reader) == "a\n");
}

TEST_CASE("a reader whose file was dropped reads its rest and goes on with the oldest there is") {
  Rig rig;
  rig.write("a");
  LogReader reader(rig.loop, rig.watches, rig.path, {});
  rig.open(reader);
  CHECK(rig.read(reader) == "a\n");
  rig.write("b");
  rig.rotate("1");
  rig.write("lost");
  rig.rotate("2");
  rig.drop("1");
  rig.drop("2");
  rig.write("c");
  rig.rotate("3");
  rig.write("d");
  CHECK(rig.read(reader) == "b\nc\nd\n");
  rig.write("e");
  CHECK(rig.read(reader) == "e\n");
}

TEST_CASE("a reader that wants little of a large log does not hold its loop") {
  Rig rig;
  for (int i = 0; i < 20'000; ++i)
    rig.write("an old line that is long enough to make a few blocks of this log");
  LogQuery query;
  query.since = WallTime(std::chrono::hours(24 * 365 * 60));
  LogReader reader(rig.loop, rig.watches, rig.path, query);
  rig.open(reader);
  const auto piece = reader.read_some();
  REQUIRE(piece);
  CHECK(piece->more);
  CHECK(rig.read(reader).empty());
}

TEST_CASE("a reader goes on when the file it holds was emptied for a writer that does not reopen") {
  Rig rig;
  rig.write("a");
  rig.rotate("1");
  LogReader reader(rig.loop, rig.watches, rig.path, {});
  rig.open(reader);
  CHECK(rig.read(reader) == "a\n");
  REQUIRE(::truncate((rig.path + ".1").c_str(), 0) == 0);
  CHECK(rig.read(reader).empty());
  std::ofstream(rig.path + ".1", std::ios::app) << "2026-01-01T00:00:00Z stdout F b\n";
  CHECK(rig.read(reader) == "b\n");
  rig.write("c");
  CHECK(rig.read(reader) == "c\n");
}
