#include "io/durable.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "io/file.h"
#include "testing/power_cut.h"

using namespace skiff;

namespace {

struct Folder {
  Folder() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  ~Folder() { auto removed = io::remove_tree(path); }
  std::string operator/(const std::string& name) const { return path + "/" + name; }
  std::string path = "/tmp/skiff-durable-test-XXXXXX";
};

// As a program would that thinks little of it.
void write_unsynced(const std::string& path, const std::string& text) {
  FILE* file = ::fopen(path.c_str(), "w");
  REQUIRE(file != nullptr);
  REQUIRE(::fwrite(text.data(), 1, text.size(), file) == text.size());
  ::fclose(file);
}

}  // namespace

TEST_CASE("a simulated power cut empties what was renamed without a sync") {
  const Folder folder;
  testing::PowerCut power(folder.path);
  write_unsynced(folder / "new", "text");
  REQUIRE(::rename((folder / "new").c_str(), (folder / "name").c_str()) == 0);
  CHECK(io::read_file(power.after_cut(power.cuts()) + "/name") == "");
}

TEST_CASE("a file that is written as one step is old or new after a cut, and new once it is acknowledged") {
  const Folder folder;
  REQUIRE(io::write_file_atomic(folder / "f", "old"));
  testing::PowerCut power(folder.path);
  REQUIRE(io::write_file_atomic(folder / "f", "new"));
  REQUIRE(power.cuts() >= 3);
  for (size_t i = 0; i < power.cuts(); ++i) {
    CAPTURE(i);
    const auto text = io::read_file(power.after_cut(i) + "/f");
    CHECK((text == "old" || text == "new"));
  }
  CHECK(io::read_file(power.after_cut(power.cuts()) + "/f") == "new");
}

TEST_CASE("a published file or folder is whole wherever its name is, after any cut") {
  const Folder folder;
  REQUIRE(io::make_directories(folder / "made/inner"));
  testing::PowerCut power(folder.path);
  write_unsynced(folder / "made/inner/a", "text");
  write_unsynced(folder / "file", "text");
  REQUIRE(io::publish(folder / "made", folder / "tree"));
  REQUIRE(io::publish(folder / "file", folder / "name"));
  for (size_t i = 0; i <= power.cuts(); ++i) {
    CAPTURE(i);
    const std::string copy = power.after_cut(i);
    if (io::path_exists(copy + "/tree")) CHECK(io::read_file(copy + "/tree/inner/a") == "text");
    if (io::path_exists(copy + "/name")) CHECK(io::read_file(copy + "/name") == "text");
  }
  CHECK(io::path_exists(power.after_cut(power.cuts()) + "/tree"));
  CHECK(io::path_exists(power.after_cut(power.cuts()) + "/name"));
}

TEST_CASE("a folder is not published over one with entries") {
  const Folder folder;
  REQUIRE(io::make_directories(folder / "a/inner"));
  REQUIRE(io::make_directories(folder / "b/inner"));
  CHECK(io::publish(folder / "a", folder / "b").error().code == Code::kAlreadyExists);
  CHECK(io::path_exists(folder / "a/inner"));
  CHECK(io::publish(folder / "none", folder / "c").error().code == Code::kNotFound);
}

TEST_CASE("what a killed writer left is swept, and nothing else") {
  const Folder folder;
  for (const char* name :
       {"claim.json.tmp22396-2", "claim.json", "a.tmp", "b.tmp12", "c.tmpx-1", ".tmp1-", "d.tmp1-2.json"})
    write_unsynced(folder / name, "text");
  REQUIRE(io::make_directories(folder / "folder.tmp1-1"));
  io::sweep_unpublished(folder.path);
  CHECK(*io::list_directory(folder.path) == std::vector<std::string>{".tmp1-", "a.tmp", "b.tmp12", "c.tmpx-1",
                                                                     "claim.json", "d.tmp1-2.json",
                                                                     "folder.tmp1-1"});
  io::sweep_unpublished(folder / "none");
}

TEST_CASE("a writer that is killed before its file has its name leaves what the next sweep takes") {
  const Folder folder;
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    // A file of this size takes no name: the kernel kills who writes it.
    struct rlimit limit{100, 100};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    ::signal(SIGXFSZ, SIG_DFL);
    auto written = io::write_file_atomic(folder / "f", std::string(1000, 'x'));
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  REQUIRE(io::list_directory(folder.path)->size() == 1);
  io::sweep_unpublished(folder.path);
  CHECK(io::list_directory(folder.path)->empty());
}

TEST_CASE("files that are being written survive sweeps") {
  const Folder folder;
  std::atomic<bool> done = false;
  std::thread sweeper([&] {
    while (!done) io::sweep_unpublished(folder.path);
  });
  int failures = 0;
  for (int i = 0; i < 200; ++i) {
    if (!io::write_file_atomic(folder / "f", std::to_string(i))) ++failures;
  }
  done = true;
  sweeper.join();
  CHECK(failures == 0);
  CHECK(io::read_file(folder / "f") == "199");
  CHECK(io::list_directory(folder.path)->size() == 1);
}
