#include "node/images/layer_recipe.h"

#include <doctest/doctest.h>

using namespace skiff;
using namespace skiff::node;

TEST_CASE("a recipe's packages are those of all its lines, in order and each once") {
  const auto recipe =
      parse_layer_recipe("node", "# Node\nbuild: npm  nodejs\nrun: nodejs\n\nbuild: npm node-gyp # native\n");
  REQUIRE(recipe);
  CHECK(recipe->name == "node");
  CHECK(recipe->build == std::vector<std::string>{"node-gyp", "nodejs", "npm"});
  CHECK(recipe->run == std::vector<std::string>{"nodejs"});
}

TEST_CASE("a recipe may have no run set, but not nothing") {
  CHECK(parse_layer_recipe("go", "build: golang-go\nrun:\n")->run.empty());
  CHECK(!parse_layer_recipe("go", "# nothing\nrun:\n"));
}

TEST_CASE("a line that is not understood is refused with its place") {
  for (const char* text : {"build nodejs\n", "Build: nodejs\n", "test: nodejs\n", "run: --allow-remove\n",
                           "run: nodejs;reboot\n", "run: ../evil\n", "run: Nodejs\n"}) {
    CAPTURE(text);
    const auto recipe = parse_layer_recipe("node", std::string("# first\n") + text);
    REQUIRE(!recipe);
    CHECK(recipe.error().message.find("buildpacks/layers/node, line 2") != std::string::npos);
  }
}

TEST_CASE("tags name a set and layers in order") {
  const auto tag = parse_stack_tag("build-node-ruby");
  REQUIRE(tag);
  CHECK(tag->set == StackTag::Set::kBuild);
  CHECK(tag->layers == std::vector<std::string>{"node", "ruby"});
  CHECK(parse_stack_tag("run")->layers.empty());
  for (const char* text :
       {"", "latest", "build-", "build-ruby-node", "run-node-node", "run-../x", "run-Node"}) {
    CAPTURE(text);
    CHECK(!parse_stack_tag(text));
  }
}

TEST_CASE("a layer without a recipe is told with those that there are") {
  const auto missing = read_layer_recipe(std::string(SKIFF_SOURCE_DIR) + "/buildpacks/layers", "cobol");
  REQUIRE(!missing);
  CHECK(missing.error().code == Code::kNotFound);
  CHECK(missing.error().message.find("there is no stack layer \"cobol\"; there are go, java") !=
        std::string::npos);
}
