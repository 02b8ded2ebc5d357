#include "io/log_file.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/file.h"

using namespace skiff;

namespace {

struct Log {
  Log() {
    char name[] = "/tmp/skiff-log-test-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    folder = name;
    path = folder + "/role.log";
    writer = io::UniqueFd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    REQUIRE(writer);
  }
  ~Log() { auto removed = io::remove_tree(folder); }
  void write(std::string_view text) {
    REQUIRE(::write(writer.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  std::string folder, path;
  io::UniqueFd writer;
};

}  // namespace

TEST_CASE("a log beyond its limit starts over, its end is kept, and its writer writes on") {
  Log log;
  log.write("0123456789");
  REQUIRE(io::bound_log(log.path, 10));
  CHECK(io::read_file(log.path) == "0123456789");
  CHECK(!io::path_exists(log.path + ".1"));
  log.write("ab");
  REQUIRE(io::bound_log(log.path, 10));
  CHECK(io::read_file(log.path) == "");
  CHECK(io::read_file(log.path + ".1") == "23456789ab");
  log.write("next");
  CHECK(io::read_file(log.path) == "next");
}

TEST_CASE("the copy before is replaced, not added to") {
  Log log;
  for (const char* text : {"aaaaaa", "bbbbbb"}) {
    log.write(text);
    REQUIRE(io::bound_log(log.path, 4));
  }
  CHECK(io::read_file(log.path + ".1") == "bbbb");
}

TEST_CASE("a log is cut even when its copy can't be made; one that is not there is fine") {
  Log log;
  log.write("0123456789");
  REQUIRE(io::make_directories(log.path + ".1"));
  CHECK(!io::bound_log(log.path, 4));
  CHECK(io::read_file(log.path) == "");
  CHECK(io::bound_log(log.folder + "/nothing", 4));
}
