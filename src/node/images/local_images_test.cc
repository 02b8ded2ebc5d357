#include "node/images/local_images.h"

#include <doctest/doctest.h>

#include <cstdlib>

#include "io/file.h"
#include "io/sync.h"
#include "node/images/layout_write.h"
#include "node/images/puller.h"

using namespace skiff;
using namespace skiff::node;

namespace {

// A folder of layouts: the app shop's, and tools, which is nobody's.
struct Layouts {
  Layouts() {
    REQUIRE(::mkdtemp(path.data()) != nullptr);
    for (const char* name : {"/shop", "/tools"}) {
      REQUIRE(io::make_directories(path + name));
      const std::string tar = path + name + ".tar";
      REQUIRE(io::write_file_atomic(tar, std::string(1024, '\0')));  // of no file
      REQUIRE(write_layout(path + name, "1", {}, {{tar, ""}}));
    }
    REQUIRE(io::write_file_atomic(path + "/shop/skiff-app", "shop\n"));
  }
  ~Layouts() { auto removed = io::remove_tree(path); }

  ImageOutcome ensure(const std::string& image, const std::string& name_space) const {
    const auto loop = io::make_epoll_loop(2);
    PullerOptions options;
    options.paths = {path + "/node"};
    options.local_images = path;
    Puller puller(*loop, options);
    REQUIRE(io::make_directories(options.paths.images()));
    REQUIRE(puller.open());
    return io::block_on(*loop, puller.ensure(image, name_space, PullPolicy::kIfNotPresent, "", {}));
  }
  std::string path = "/tmp/skiff-local-images-XXXXXX";
};

}  // namespace

TEST_CASE("an app's image is for its namespace, and others can't tell it from one that is not there") {
  const Layouts layouts;
  CHECK(layouts.ensure("skiff.local/shop:1", "shop").image);
  const auto other = layouts.ensure("skiff.local/shop:1", "tenant");
  CHECK_FALSE(other.image);
  CHECK(other.message == "there is no image skiff.local/shop:1 that pods of the namespace tenant may run");
  CHECK(layouts.ensure("skiff.local/none:1", "tenant").message ==
        "there is no image skiff.local/none:1 that pods of the namespace tenant may run");
}

TEST_CASE("an image that is no app's is for all") {
  const Layouts layouts;
  CHECK(layouts.ensure("skiff.local/tools:1", "tenant").image);
}

TEST_CASE("a digest in the name of a local image leads to no other image") {
  const Layouts layouts;
  const std::string digest = "@sha256:" + std::string(64, '0');
  for (const char* name_space : {"shop", "tenant"}) {
    const auto outcome = layouts.ensure("skiff.local/shop" + digest, name_space);
    CHECK_FALSE(outcome.image);
    CHECK(outcome.message.find("name the tag") != std::string::npos);
  }
}
