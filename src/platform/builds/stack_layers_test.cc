#include "platform/builds/stack_layers.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/file.h"

using namespace skiff;
using namespace skiff::platform;

TEST_CASE("layers are sorted and named once, and the pod's image is named by them") {
  auto names = parse_layer_names("ruby\nnode\n\nruby\n");
  REQUIRE(names);
  CHECK(*names == LayerNames{"node", "ruby"});
  CHECK(build_image_name(*names) == "skiff.local/stack:build-node-ruby");
  CHECK(build_image_name({}) == "skiff.local/stack:build");
}

TEST_CASE("what could not be a layer's name is refused") {
  for (const char* text : {"../x", "node ruby", "Node", "a-b", "node\r\n", "n\033[1m"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_layer_names(text));
  }
  CHECK_FALSE(parse_layer_names(std::string(1000, 'a')));
  CHECK_FALSE(parse_layer_names("a\nb\nc\nd\ne\nf\ng\nh\ni"));
  CHECK(parse_layer_names("a\nb\nc\nd\ne\nf\ng\nh"));
}

TEST_CASE("a pod with more layers than are needed will do") {
  CHECK(has_layers({"node", "ruby"}, {"ruby"}));
  CHECK(has_layers({"node"}, {}));
  CHECK_FALSE(has_layers({"node"}, {"node", "ruby"}));
}

TEST_CASE("a link in place of the names is not followed, and the last build's layers are remembered") {
  std::string folder = "/tmp/skiff-layers-XXXXXX";
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  REQUIRE(io::make_directories(folder + "/cache"));
  REQUIRE(io::write_file_atomic(folder + "/secret", "node"));
  REQUIRE(::symlink((folder + "/secret").c_str(), (folder + "/layers").c_str()) == 0);
  CHECK_FALSE(read_layer_names(folder, "layers"));
  CHECK(read_layer_names(folder, "run-layers").value_or(LayerNames{"?"}).empty());
  CHECK(recall_layers(folder, "shop").empty());
  CHECK(remember_layers(folder, "shop", {"go", "node"}));
  CHECK(recall_layers(folder, "shop") == LayerNames{"go", "node"});
  auto removed = io::remove_tree(folder);
}
