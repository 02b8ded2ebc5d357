#include "node/images/stack_cache.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "io/sync.h"
#include "node/images/shared_tree.h"
#include "testing/power_cut.h"

using namespace skiff;
using node::StackCache;

namespace {

struct Folders {
  Folders() {
    char name[] = "/tmp/skiff-stack-test-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    path = name;
    REQUIRE(io::make_directories(layout() + "/blobs/sha256"));
    REQUIRE(io::write_file_atomic(layout() + "/blobs/sha256/one", "layer"));
    REQUIRE(io::write_file_atomic(layout() + "/recipe", "r1"));
  }
  ~Folders() { auto removed = io::remove_tree(path); }
  std::string layout() const { return path + "/made"; }
  std::string cache() const { return path + "/cache"; }
  std::string other() const { return path + "/data/images/stack"; }
  std::string path;
};

}  // namespace

TEST_CASE("kept images come back whole, and outlive the instance that made them") {
  const Folders folders;
  const StackCache cache(folders.cache(), "r1");
  CHECK(cache.copy_to(folders.other()).error().code == Code::kNotFound);
  REQUIRE(io::make_directories(folders.cache()));
  REQUIRE(cache.keep(folders.layout()));
  REQUIRE(io::remove_tree(folders.layout()));
  REQUIRE(cache.copy_to(folders.other()));
  CHECK(io::read_file(folders.other() + "/blobs/sha256/one") == "layer");
  CHECK(io::read_file(folders.other() + "/recipe") == "r1");
  REQUIRE(io::remove_tree(folders.path + "/data"));
  CHECK(cache.copy_to(folders.other()));
}

TEST_CASE("what a process left half-way is never taken, and goes with the next that is kept") {
  const Folders folders;
  const StackCache cache(folders.cache(), "r1");
  REQUIRE(io::make_directories(folders.cache() + "/r1.partial-1/blobs"));
  REQUIRE(io::make_directories(folders.cache() + "/r0"));
  CHECK(!cache.copy_to(folders.other()));
  CHECK(!io::path_exists(folders.other()));
  REQUIRE(cache.keep(folders.layout()));
  CHECK(io::list_directory(folders.cache()) == std::vector<std::string>{"r1"});
}

TEST_CASE("an old layout of the instance is replaced as a whole") {
  const Folders folders;
  const StackCache cache(folders.cache(), "r1");
  REQUIRE(io::make_directories(folders.other() + "/blobs/old"));
  REQUIRE(io::make_directories(folders.cache()));
  REQUIRE(cache.keep(folders.layout()));
  REQUIRE(cache.copy_to(folders.other()));
  CHECK(io::list_directory(folders.other()) == std::vector<std::string>{"blobs", "recipe"});
  CHECK(!io::path_exists(folders.other() + "/blobs/old"));
}

TEST_CASE(
    "at each step of a replacement the layout is the old or the new one, and nothing is left beside it") {
  const Folders folders;
  const StackCache cache(folders.cache(), "r1");
  REQUIRE(io::make_directories(folders.other()));
  REQUIRE(io::write_file_atomic(folders.other() + "/recipe", "r0"));
  REQUIRE(io::write_file_atomic(folders.other() + "/only-old", "kept"));
  REQUIRE(io::make_directories(folders.cache()));
  REQUIRE(cache.keep(folders.layout()));
  testing::PowerCut power(folders.path);
  REQUIRE(cache.copy_to(folders.other()));
  REQUIRE(power.cuts() > 3);
  for (size_t i = 0; i <= power.cuts(); ++i) {
    CAPTURE(i);
    const std::string layout = power.after_cut(i) + "/data/images/stack";
    const auto recipe = io::read_file(layout + "/recipe");
    REQUIRE(recipe);
    const std::string file = *recipe == "r0" ? "/only-old" : "/blobs/sha256/one";
    CHECK(io::read_file(layout + file) == (*recipe == "r0" ? "kept" : "layer"));
  }
  CHECK(io::read_file(folders.other() + "/recipe") == "r1");
  CHECK(io::list_directory(folders.path + "/data/images") == std::vector<std::string>{"stack"});
}

TEST_CASE("who makes the images holds a lock that ends with it") {
  const Folders folders;
  const auto loop = io::make_epoll_loop(1);
  const StackCache cache(folders.cache(), "r1");
  auto first = io::block_on(*loop, cache.lock(*loop));
  REQUIRE(first);
  CHECK(!io::lock_file(folders.cache() + "/lock"));
  first->reset();
  CHECK(io::block_on(*loop, cache.lock(*loop)));
}

TEST_CASE("what a killed start left of the images goes, and neither they nor others") {
  const Folders folders;
  const std::string images = folders.path + "/data/images";
  for (const char* name : {"stack", "stack.partial-77", "stack.partial-77.old", "stackless", "shop"})
    REQUIRE(io::make_directories(images + "/" + name + "/blobs"));
  node::remove_partial_copies(folders.other());
  CHECK(io::list_directory(images) == std::vector<std::string>{"shop", "stack", "stackless"});
  const StackCache cache(folders.cache(), "r1");
  REQUIRE(io::write_file_atomic(folders.layout() + "/blobs/sha256/two.tmp77-1", "half"));
  REQUIRE(io::make_directories(folders.cache() + "/r1.partial-77/blobs"));
  const auto loop = io::make_epoll_loop(1);
  REQUIRE(io::block_on(*loop, cache.lock(*loop)));
  REQUIRE(cache.keep(folders.layout()));
  CHECK(io::list_directory(folders.cache()) == std::vector<std::string>{"lock", "r1"});
  CHECK(io::list_directory(folders.cache() + "/r1/blobs/sha256") == std::vector<std::string>{"one"});
}
