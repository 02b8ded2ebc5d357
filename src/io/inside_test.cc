#include "io/inside.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace skiff;

namespace {

constexpr size_t kLimit = 100;

struct Tree {
  Tree() {
    REQUIRE(::mkdtemp(path.data()) != nullptr);
    REQUIRE(io::make_directories(path + "/tree/folder"));
    REQUIRE(io::make_directories(path + "/outside"));
    REQUIRE(io::write_file_atomic(path + "/tree/folder/file", "inside"));
    REQUIRE(io::write_file_atomic(path + "/outside/file", "secret"));
  }
  ~Tree() { auto removed = io::remove_tree(path); }
  void link(const std::string& target, const std::string& name) const {
    REQUIRE(::symlink(target.c_str(), (path + "/tree/" + name).c_str()) == 0);
  }
  Result<std::string> read(const std::string& name) const {
    return io::read_inside(path + "/tree", name, kLimit);
  }
  std::string path = "/tmp/skiff-inside-test-XXXXXX";
};

}  // namespace

TEST_CASE("a file of a tree is read, and bounded") {
  const Tree tree;
  CHECK(tree.read("folder/file") == "inside");
  CHECK(tree.read("./folder//file") == "inside");
  CHECK(tree.read("folder/none").error().code == Code::kNotFound);
  CHECK(io::read_inside(tree.path + "/tree", "folder/file", 3).error().code == Code::kResourceExhausted);
}

TEST_CASE("no link leads a reader out of a tree, be it the file or a folder on the way") {
  const Tree tree;
  tree.link(tree.path + "/outside", "absolute");
  tree.link("../outside", "up");
  tree.link(tree.path + "/outside/file", "file");
  tree.link("folder/file", "own");
  for (const char* name : {"absolute/file", "up/file", "file", "own"}) {
    CAPTURE(name);
    CHECK(tree.read(name).error().code == Code::kForbidden);
  }
  CHECK(!tree.read("../outside/file"));
  CHECK(!tree.read(tree.path + "/outside/file"));
}

TEST_CASE("what is no regular file is refused and not waited for") {
  const Tree tree;
  REQUIRE(::mkfifo((tree.path + "/tree/pipe").c_str(), 0600) == 0);
  CHECK(tree.read("pipe").error().code == Code::kForbidden);
  CHECK(tree.read("folder").error().code == Code::kForbidden);
}

TEST_CASE("links that stay inside may be followed, others never") {
  const Tree tree;
  tree.link("folder/file", "own");
  tree.link("../outside/file", "up");
  const io::UniqueFd root(::open((tree.path + "/tree").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const io::UniqueFd own(io::open_below(root.get(), "own", O_RDONLY, io::Links::kFollow));
  REQUIRE(own);
  CHECK(io::read_rest(own.get(), "own", kLimit) == "inside");
  CHECK(io::open_below(root.get(), "own", O_RDONLY, io::Links::kRefuse) == -1);
  CHECK(io::open_below(root.get(), "up", O_RDONLY, io::Links::kFollow) == -1);
}
