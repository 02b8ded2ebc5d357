#include "platform/disk_care.h"

#include <doctest/doctest.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/file.h"
#include "platform/images/layout_writer.h"

using namespace skiff;
using namespace skiff::platform;

namespace {
struct Folder {
  Folder() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  ~Folder() { auto removed = io::remove_tree(path); }
  std::string path = "/tmp/skiff-disk-care-XXXXXX";
};
WallTime later() {
  return std::chrono::system_clock::now() + std::chrono::hours(1);
}
}  // namespace

TEST_CASE("an app's files get another name, whatever of it a platform before had done") {
  const std::vector<std::string> moved = {"git/shop.git", "cache/shop.img", "cache/shop.layers",
                                          "cache/shop.plain", "build-output/shop"};
  for (size_t done = 0; done <= moved.size(); ++done) {
    CAPTURE(done);
    const Folder folder;
    const DiskPlaces places{folder.path + "/platform", folder.path + "/images"};
    REQUIRE(io::make_directories(places.images + "/shop/blobs"));
    for (const auto& path : {"/git/shop.git", "/git/other.git", "/build-output/shop", "/cache/shop.plain"})
      REQUIRE(io::make_directories(places.data + path));
    REQUIRE(io::write_file_atomic(places.data + "/git/shop.git/HEAD", "ref"));
    REQUIRE(io::write_file_atomic(places.data + "/cache/shop.img", "cached"));
    REQUIRE(io::write_file_atomic(places.data + "/cache/shop.layers", "node"));
    for (size_t i = 0; i < done; ++i) {
      const std::string from = places.data + "/" + moved[i];
      std::string to = from;
      to.replace(to.rfind("shop"), 4, "store");
      REQUIRE(::rename(from.c_str(), to.c_str()) == 0);
    }
    CHECK(rename_work_files(places, "shop", "store"));
    CHECK(io::read_file(places.data + "/git/store.git/HEAD").value_or("") == "ref");
    CHECK(io::read_file(places.data + "/cache/store.img").value_or("") == "cached");
    for (const char* path : {"/build-output/store", "/cache/store.plain", "/cache/store.layers"})
      CHECK(io::path_exists(places.data + path));
    for (const auto& path : moved) CHECK_FALSE(io::path_exists(places.data + "/" + path));
    CHECK(io::path_exists(places.data + "/git/other.git"));
    CHECK(io::path_exists(places.images + "/shop/blobs"));
  }
}

TEST_CASE("what no app has any more is found and removed, and nothing else") {
  const Folder folder;
  const DiskPlaces places{folder.path + "/platform", folder.path + "/images"};
  for (const char* name :
       {"/platform/git/shop.git/refs", "/platform/git/old.git/refs", "/platform/cache/plain.plain",
        "/platform/cache/shop.plain", "/platform/build-output/old", "/platform/build-output/shop",
        "/images/stack/blobs", "/images/gone/blobs", "/images/shop/blobs"}) {
    REQUIRE(io::make_directories(folder.path + name));
  }
  REQUIRE(io::write_file_atomic(places.data + "/cache/cached.img", "x"));
  for (const char* app : {"gone", "shop"})
    REQUIRE(io::write_file_atomic(places.images + "/" + app + kAppMark, "x"));
  REQUIRE(io::make_directories(places.images + "/operators-own/blobs"));
  const std::set<std::string> known = {"shop"};
  CHECK(find_garbage(places, known, WallTime{}).empty());
  CHECK(find_garbage(places, known, later()) == std::set<std::string>{"cached", "gone", "old", "plain"});
  for (const char* app : {"old", "gone", "cached", "plain"}) CHECK(remove_app_files(places, app));
  CHECK(find_garbage(places, {}, later()) == std::set<std::string>{"shop"});
  CHECK(io::path_exists(places.images + "/stack/blobs"));
  CHECK(!remove_app_files(places, "stack"));
}

TEST_CASE("what builds of an app keep goes without its repository") {
  const Folder folder;
  const DiskPlaces places{folder.path + "/platform", folder.path + "/images"};
  for (const char* path : {"/git/shop.git", "/cache/shop.plain", "/cache/store.plain", "/build-output/shop"})
    REQUIRE(io::make_directories(places.data + path));
  for (const char* path : {"/cache/shop.img", "/cache/shop.layers"})
    REQUIRE(io::write_file_atomic(places.data + path, "x"));
  CHECK(remove_build_files(places, "shop"));
  CHECK(io::list_directory(places.data + "/cache") == std::vector<std::string>{"store.plain"});
  CHECK(io::list_directory(places.data + "/build-output")->empty());
  CHECK(io::path_exists(places.data + "/git/shop.git"));
}

TEST_CASE("what killed writers left beside images and outputs of builds goes, and nothing else") {
  const Folder folder;
  const DiskPlaces places{folder.path + "/platform", folder.path + "/images"};
  const std::string layout = places.images + "/shop", outputs = places.data + "/build-output/shop";
  for (const auto& path : {layout + "/blobs/sha256", outputs}) {
    REQUIRE(io::make_directories(path));
    REQUIRE(io::write_file_atomic(path + "/kept", "x"));
    REQUIRE(io::write_file_atomic(path + "/kept.tmp4-2", "x"));
  }
  REQUIRE(io::write_file_atomic(layout + "/index.json.tmp4-1", "x"));
  sweep_unpublished_files(places);
  CHECK(io::list_directory(layout) == std::vector<std::string>{"blobs"});
  CHECK(io::list_directory(layout + "/blobs/sha256") == std::vector<std::string>{"kept"});
  CHECK(io::list_directory(outputs) == std::vector<std::string>{"kept"});
}
