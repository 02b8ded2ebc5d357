#include "node/volumes/sub_path.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace skiff;
using namespace skiff::node;

namespace {

// A host folder with a volume in it.
struct Ground {
  Ground() {
    REQUIRE(::mkdtemp(host.data()) != nullptr);
    REQUIRE(io::make_directories(volume()));
  }
  ~Ground() { auto removed = io::remove_tree(host); }
  std::string volume() const { return host + "/volume"; }
  std::string host = "/tmp/skiff-sub-path-XXXXXX";
};

mode_t mode_of(const std::string& path) {
  struct stat info{};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_mode & 07777;
}

}  // namespace

TEST_CASE("a missing subPath is made, its last folder for everybody") {
  Ground ground;
  CHECK(open_sub_path(ground.volume(), "a/./b/"));
  CHECK(mode_of(ground.volume() + "/a") == 0755);
  CHECK(mode_of(ground.volume() + "/a/b") == 0777);
}

TEST_CASE("a link out of the volume is refused and nothing is made behind it") {
  Ground ground;
  const std::string link = ground.volume() + "/link";
  for (const std::string& target : {std::string(".."), ground.host}) {
    REQUIRE(::symlink(target.c_str(), link.c_str()) == 0);
    auto opened = open_sub_path(ground.volume(), "link/made");
    REQUIRE(!opened);
    CHECK(opened.error().code == Code::kForbidden);
    CHECK(!io::path_exists(ground.host + "/made"));
    REQUIRE(::unlink(link.c_str()) == 0);
  }
  CHECK(!open_sub_path(ground.volume(), "../made"));
  CHECK(!io::path_exists(ground.host + "/made"));
}

TEST_CASE("what is there is taken as it is, links within the volume too") {
  Ground ground;
  REQUIRE(io::make_directories(ground.volume() + "/..data"));
  REQUIRE(io::write_file_atomic(ground.volume() + "/..data/key", "v", 0600));
  REQUIRE(::symlink("..data/key", (ground.volume() + "/key").c_str()) == 0);
  auto opened = open_sub_path(ground.volume(), "key");
  REQUIRE(opened);
  struct stat info{};
  REQUIRE(::fstat(opened->get(), &info) == 0);
  CHECK(S_ISREG(info.st_mode));
  CHECK(mode_of(ground.volume() + "/..data/key") == 0600);
}
