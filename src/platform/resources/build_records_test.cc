#include "platform/resources/build_records.h"

#include <doctest/doctest.h>

using namespace skiff::platform;

TEST_CASE("the buildpack is the one that the output names") {
  BuildText text;
  CHECK(text.buildpack().empty());
  text.add("-----> Fetching\n-----> C++ app det");
  text.add("ected\n-----> Building with make\n");
  CHECK(text.buildpack() == "C++");
  text.add("an app detected\n");
  CHECK(text.buildpack() == "C++");
}

TEST_CASE("of several buildpacks the last one names the build, which decides what runs") {
  BuildText text;
  text.add("-----> Apt app detected\n-----> Installing\n-----> Go app detected\n-----> Building\n");
  CHECK(text.buildpack() == "Go");
}

TEST_CASE("the beginning of a long output is kept") {
  BuildText text;
  for (int i = 0; i < 3; ++i) text.add(std::string(kMaxBuildText / 2, 'x'));
  CHECK(text.text().size() == kMaxBuildText);
  BuildText letters;
  letters.add("a" + std::string(kMaxBuildText - 2, 'b') + "\xC3\xBC");
  CHECK(letters.text().size() == kMaxBuildText - 1);  // no half of a letter
}

TEST_CASE("what a program says of itself within or behind a line names no buildpack") {
  BuildText text;
  text.add("-----> Go app detected (go.mod)\n-----> Building\n app detected\nno app detected -----> here\n");
  CHECK(text.buildpack() == "Go");
}
