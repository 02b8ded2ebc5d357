#include "platform/git/repository_care.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/file.h"

using namespace skiff;
using namespace skiff::platform;

namespace {

constexpr WallTime kWritten{std::chrono::hours(24 * 365 * 50)};

struct Folder {
  Folder() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  ~Folder() { auto removed = io::remove_tree(path); }
  std::string operator/(const std::string& name) const { return path + "/" + name; }
  // A file that was last written at kWritten.
  void put(const std::string& name) const {
    REQUIRE(io::make_directories(path + "/" + name.substr(0, name.rfind('/'))));
    REQUIRE(io::write_file_atomic(path + "/" + name, "x"));
    set_time(name);
  }
  void set_time(const std::string& name) const {
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(kWritten.time_since_epoch()).count();
    const timespec times[] = {{seconds, 0}, {seconds, 0}};
    REQUIRE(::utimensat(AT_FDCWD, (path + "/" + name).c_str(), times, AT_SYMLINK_NOFOLLOW) == 0);
  }
  std::string path = "/tmp/skiff-care-XXXXXX";
};

}  // namespace

TEST_CASE("what a killed git leaves goes, and what it keeps stays") {
  const Folder folder;
  const char* leftovers[] = {"r/objects/tmp_objdir-incoming-x/pack/tmp_pack_1",
                             "r/objects/pack/tmp_idx_2",
                             "r/objects/pack/.tmp-3-pack-a.pack",
                             "r/objects/ab/tmp_obj_4",
                             "r/HEAD.lock",
                             "r/packed-refs.lock",
                             "r/refs/heads/a/b/main.lock"};
  const char* kept[] = {"r/objects/pack/pack-a.pack", "r/objects/ab/cdef", "r/HEAD",
                        "r/refs/heads/main",          "r/hooks/x.lock",    "r/refs/heads/a/b/tmp_c"};
  for (const char* name : leftovers) folder.put(name);
  for (const char* name : kept) folder.put(name);
  folder.set_time("r/objects/tmp_objdir-incoming-x");
  CHECK(remove_git_leftovers(folder / "r", kWritten) == 0);
  CHECK(remove_git_leftovers(folder / "r", kWritten + std::chrono::seconds(1)) == 7);
  for (const char* name : leftovers) CHECK(!io::path_exists(folder / name));
  CHECK(!io::path_exists(folder / "r/objects/tmp_objdir-incoming-x"));
  for (const char* name : kept) CHECK(io::path_exists(folder / name));
}

TEST_CASE("a repository with links in it does not lead elsewhere") {
  const Folder folder;
  folder.put("other/pack/tmp_pack_1");
  REQUIRE(io::make_directories(folder / "r"));
  REQUIRE(::symlink((folder / "other").c_str(), (folder / "r/objects").c_str()) == 0);
  CHECK(remove_git_leftovers(folder / "r", kWritten + std::chrono::hours(1)) == 0);
  CHECK(io::path_exists(folder / "other/pack/tmp_pack_1"));
}

TEST_CASE("a repository over its bound says so, with its size") {
  const Folder folder;
  REQUIRE(io::make_directories(folder / "r"));
  CHECK(check_repository_size(folder / "r", 1));
  REQUIRE(io::write_file_atomic(folder / "r/pack", std::string(3 << 20, 'x')));
  const auto checked = check_repository_size(folder / "r", 1);
  REQUIRE(!checked);
  CHECK(checked.error().message.starts_with("the app's repository takes 3 MB here, more than 1 MB"));
}
