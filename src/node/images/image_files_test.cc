#include "node/images/image_files.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "io/file.h"
#include "node/images/store.h"

using namespace skiff;
using namespace skiff::node;

namespace {

constexpr size_t kLimit = 100;

// A store with two layers, the one called "top" above "base".
struct Layers {
  Layers() {
    REQUIRE(::mkdtemp(root.data()) != nullptr);
    for (const char* name : {"top", "base"})
      REQUIRE(io::make_directories(paths().layers() + "/" + name + "/etc"));
    REQUIRE(io::make_directories(root + "/host"));
    REQUIRE(io::write_file_atomic(root + "/host/passwd", "the host's"));
  }
  ~Layers() { auto removed = io::remove_tree(root); }
  NodePaths paths() const { return {root}; }
  std::string path(const std::string& name) const { return paths().layers() + "/" + name; }
  void write(const std::string& name, const std::string& text) const {
    REQUIRE(io::make_directories(path(name).substr(0, path(name).rfind('/')), 0755));
    REQUIRE(io::write_file_atomic(path(name), text));
  }
  void link(const std::string& target, const std::string& name) const {
    REQUIRE(io::remove_tree(path(name)));
    REQUIRE(::symlink(target.c_str(), path(name).c_str()) == 0);
  }
  std::optional<std::string> read(const std::string& name) const {
    return read_image_file({path("top"), path("base")}, name, kLimit);
  }
  std::string root = "/tmp/skiff-image-files-test-XXXXXX";
};

}  // namespace

TEST_CASE("the topmost layer that has a file gives it") {
  const Layers layers;
  layers.write("base/etc/passwd", "base");
  layers.write("base/etc/group", "base");
  layers.write("top/etc/group", "top");
  CHECK(layers.read("etc/passwd") == "base");
  CHECK(layers.read("etc/group") == "top");
  CHECK(!layers.read("etc/none"));
  CHECK(!layers.read("etc"));
  CHECK(!layers.read("etc/passwd/more"));
}

TEST_CASE("no link of an image leads to a file of the machine") {
  const Layers layers;
  Image image;
  image.layers = {"top", "base"};
  SUBCASE("a folder on the way is an absolute link") {
    layers.link(layers.root + "/host", "top/etc");
  }
  SUBCASE("a folder on the way leads up") {
    layers.link("../../../host", "top/etc");
  }
  SUBCASE("the layer alone would be left") {
    layers.write("base/etc/passwd", "base");
    layers.link("../base/etc", "top/etc");
  }
  SUBCASE("the file is an absolute link") {
    layers.link(layers.root + "/host/passwd", "top/etc/passwd");
  }
  SUBCASE("the file leads up") {
    layers.link("../../../../host/passwd", "top/etc/passwd");
  }
  SUBCASE("a link leads to a link") {
    layers.link(layers.root + "/host", "base/away");
    layers.link("away", "top/etc");
  }
  CHECK(!ImageStore::read_file(layers.paths(), image, "etc/passwd"));
}

TEST_CASE("links are followed as in the container, through all layers") {
  const Layers layers;
  layers.write("base/usr/share/accounts/passwd", "found");
  SUBCASE("relative") {
    layers.link("../usr/share/accounts/passwd", "top/etc/passwd");
  }
  SUBCASE("absolute") {
    layers.link("/usr/share/accounts/passwd", "top/etc/passwd");
  }
  SUBCASE("higher than the root") {
    layers.link("../../../usr/share/accounts/passwd", "top/etc/passwd");
  }
  SUBCASE("a folder") {
    layers.link("usr/share/accounts", "top/etc");
  }
  SUBCASE("up again through another layer") {
    layers.write("top/usr/other/file", "");
    layers.link("/usr/other/../share/accounts", "top/etc");
  }
  CHECK(layers.read("etc/passwd") == "found");
}

TEST_CASE("links in a circle end") {
  const Layers layers;
  layers.link("passwd", "top/etc/passwd");
  CHECK(!layers.read("etc/passwd"));
  layers.link("more/more", "top/more");
  CHECK(!layers.read("more"));
}

TEST_CASE("what a layer takes away is gone") {
  const Layers layers;
  layers.write("base/etc/passwd", "base");
  SUBCASE("a file in place of the folder") {
    REQUIRE(io::remove_tree(layers.path("top/etc")));
    layers.write("top/etc", "");
    CHECK(!layers.read("etc/passwd"));
  }
  if (::geteuid() != 0) return;
  SUBCASE("a whiteout of the file") {
    REQUIRE(::mknod(layers.path("top/etc/passwd").c_str(), S_IFCHR, makedev(0, 0)) == 0);
    CHECK(!layers.read("etc/passwd"));
  }
  SUBCASE("a whiteout of the folder") {
    REQUIRE(io::remove_tree(layers.path("top/etc")));
    REQUIRE(::mknod(layers.path("top/etc").c_str(), S_IFCHR, makedev(0, 0)) == 0);
    CHECK(!layers.read("etc/passwd"));
  }
  SUBCASE("an opaque folder") {
    REQUIRE(::setxattr(layers.path("top/etc").c_str(), "trusted.overlay.opaque", "y", 1, 0) == 0);
    CHECK(!layers.read("etc/passwd"));
  }
}

TEST_CASE("only regular files of a bounded size are read") {
  const Layers layers;
  REQUIRE(::mkfifo(layers.path("top/etc/passwd").c_str(), 0600) == 0);
  CHECK(!layers.read("etc/passwd"));
  layers.write("top/etc/group", std::string(kLimit + 1, 'x'));
  CHECK(!layers.read("etc/group"));
}
