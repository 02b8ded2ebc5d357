#include <doctest/doctest.h>

#include "cli/commands.h"

using namespace skiff;
using cli::Placing;
using List = std::vector<std::string>;

TEST_CASE("a buildpack is set at the first place, and added at the end, or where an index says") {
  CHECK(cli::place_buildpack({}, "c", 0, Placing::kReplace).value() == List{"c"});
  CHECK(cli::place_buildpack({"a", "b"}, "c", 0, Placing::kReplace).value() == List{"c", "b"});
  CHECK(cli::place_buildpack({"a", "b"}, "c", 2, Placing::kReplace).value() == List{"a", "c"});
  CHECK(cli::place_buildpack({"a", "b"}, "c", 9, Placing::kReplace).value() == List{"a", "b", "c"});
  CHECK(cli::place_buildpack({"a", "b"}, "c", 0, Placing::kAdd).value() == List{"a", "b", "c"});
  CHECK(cli::place_buildpack({"a", "b"}, "c", 1, Placing::kAdd).value() == List{"c", "a", "b"});
  CHECK(cli::place_buildpack({"a"}, "c", 9, Placing::kAdd).value() == List{"a", "c"});
  CHECK(cli::place_buildpack({"a"}, "a", 0, Placing::kAdd).error().message ==
        "The buildpack a is already set on your app.");
}

TEST_CASE("a buildpack is removed by its name or place") {
  const List two = {"heroku/go", "https://h/go"};
  CHECK(cli::take_buildpack(two, "heroku/go", 0, "shop").value() == List{"https://h/go"});
  CHECK(cli::take_buildpack(two, "go", 0, "shop").value() == List{"https://h/go"});
  CHECK(cli::take_buildpack(two, "", 2, "shop").value() == List{"heroku/go"});
  CHECK(cli::take_buildpack(two, "", 3, "shop").error().message ==
        "Invalid index. Please choose a value between 1 and 2");
  CHECK(cli::take_buildpack({"a"}, "", 2, "shop").error().message == "Invalid index. Only valid value is 1.");
  CHECK(cli::take_buildpack(two, "ruby", 0, "shop").error().message ==
        "Buildpack not found. Nothing was removed.");
  CHECK_FALSE(cli::take_buildpack(two, "", 0, "shop").has_value());
  CHECK_FALSE(cli::take_buildpack(two, "go", 1, "shop").has_value());
  CHECK(cli::take_buildpack({}, "go", 0, "shop").error().message ==
        "No buildpacks were found. Next release on shop will detect buildpack normally.");
}

TEST_CASE("a change of buildpacks is told in Heroku's words") {
  CHECK(cli::describe_change("shop", {"heroku/go"}, "set") ==
        "Buildpack set. Next release on shop will use heroku/go.\n"
        "Run git push skiff main to create a new release using this buildpack.\n");
  CHECK(cli::describe_change("shop", {"heroku/nodejs", "heroku/go"}, "added") ==
        "Buildpack added. Next release on shop will use:\n  1. heroku/nodejs\n  2. heroku/go\n"
        "Run git push skiff main to create a new release using these buildpacks.\n");
  CHECK(cli::describe_change("shop", {}, "removed") ==
        "Buildpack removed. Next release on shop will detect buildpacks normally.\n");
}

TEST_CASE("buildpacks are read as the API lists them") {
  const auto list =
      json::parse(R"([{"ordinal":0,"buildpack":{"name":"heroku/go","url":"urn:buildpack:heroku/go"}},
    {"ordinal":1,"buildpack":{"name":"https://h/p","url":"https://h/p"}}])");
  CHECK(cli::read_buildpacks(*list) == List{"heroku/go", "https://h/p"});
  CHECK(cli::read_buildpacks(json::Value::object()).empty());
}
