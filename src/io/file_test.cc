#include "io/file.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace skiff;

namespace {

struct Folder {
  Folder() {
    char name[] = "/tmp/skiff-file-test-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    path = name;
  }
  ~Folder() { auto removed = io::remove_tree(path); }
  std::string operator/(const std::string& name) const { return path + "/" + name; }
  std::string path;
};

}  // namespace

TEST_CASE("the tail of a file is bounded, however large the file is") {
  std::string path = "/tmp/skiff-tail-XXXXXX";
  io::UniqueFd file(::mkstemp(path.data()));
  REQUIRE(file);
  CHECK(io::read_tail(path, 4) == "");
  REQUIRE(::write(file.get(), "abcdef", 6) == 6);
  CHECK(io::read_tail(path, 4) == "cdef");
  CHECK(io::read_tail(path, 10) == "abcdef");
  REQUIRE(::ftruncate(file.get(), off_t{1} << 40) == 0);
  CHECK(io::read_tail(path, 4)->size() == 4);
  CHECK(io::remove_tree(path));
  CHECK(!io::read_tail(path, 4));
}

TEST_CASE("a file is replaced as one step, with its mode and without leftovers") {
  const Folder folder;
  REQUIRE(io::write_file_atomic(folder / "f", "one"));
  REQUIRE(io::write_file_atomic(folder / "f", "two", 0640));
  CHECK(io::read_file(folder / "f") == "two");
  struct stat info{};
  REQUIRE(::stat((folder / "f").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0640);
  CHECK(io::list_directory(folder.path) == std::vector<std::string>{"f"});
}

TEST_CASE("a file beyond the limit is not read") {
  const Folder folder;
  REQUIRE(io::write_file_atomic(folder / "f", "12345"));
  CHECK(io::read_file(folder / "f", 5) == "12345");
  CHECK(io::read_file(folder / "f", 4).error().code == Code::kResourceExhausted);
  CHECK(io::read_file(folder / "none").error().code == Code::kNotFound);
}

TEST_CASE("a tree is removed without following its links") {
  const Folder folder;
  REQUIRE(io::make_directories(folder / "keep"));
  REQUIRE(io::write_file_atomic(folder / "keep/file", "x"));
  REQUIRE(io::make_directories(folder / "tree/a/b"));
  REQUIRE(::symlink((folder / "keep").c_str(), (folder / "tree/a/link").c_str()) == 0);
  REQUIRE(io::remove_tree(folder / "tree"));
  CHECK_FALSE(io::path_exists(folder / "tree"));
  CHECK(io::path_exists(folder / "keep/file"));
  CHECK(io::remove_tree(folder / "tree"));
}

TEST_CASE("a lock has one holder and ends with its descriptor") {
  const Folder folder;
  {
    const auto held = io::lock_file(folder / "lock");
    REQUIRE(held);
    CHECK(io::lock_file(folder / "lock").error().code == Code::kUnavailable);
  }
  CHECK(io::lock_file(folder / "lock"));
}

TEST_CASE("directories are made with their parents, once") {
  const Folder folder;
  CHECK(io::make_directories(folder / "a/b/c"));
  CHECK(io::make_directories(folder / "a/b/c"));
  CHECK(io::make_directories(folder / "a//d/"));
  CHECK(io::list_directory(folder / "a") == std::vector<std::string>{"b", "d"});
  REQUIRE(io::write_file_atomic(folder / "file", "x"));
  CHECK_FALSE(io::make_directories(folder / "file/below"));
}
