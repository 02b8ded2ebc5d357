#include "platform/builds/submodules.h"

#include <doctest/doctest.h>

using namespace skiff;
using namespace skiff::platform;

static const std::string kCommit(40, 'a');

TEST_CASE("submodules come back as they were written, in their order") {
  const std::vector<Submodule> all = {{kCommit, "lib/b c"}, {std::string(64, '0'), "a.d/\xc3\xbc"}};
  CHECK(parse_submodules(encode_submodules(all)).value() == all);
  CHECK(parse_submodules("").value().empty());
  CHECK(parse_submodules(kCommit + " lib").value().at(0).path == "lib");
}

TEST_CASE("a path that could lead elsewhere is refused by name") {
  for (const char* path : {"", "/etc", "..", "a/../b", "a//b", "a/", "./a", ".git", ".GIT", "a/.git/hooks",
                           "-x", "a/-x", "\"a\\tb\"", "a\tb", "a\x7f", "a\\b"}) {
    CAPTURE(path);
    const auto refused = parse_submodules(kCommit + " " + path + "\n");
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().message.find("the path of the submodule ") == 0);
  }
  CHECK_FALSE(parse_submodules(kCommit + " " + std::string(kMaxSubmodulePath + 1, 'a')).has_value());
}

TEST_CASE("what is no commit is refused") {
  const std::string bad[] = {"", " lib", "abc lib", std::string(40, 'g') + " lib", "lib"};
  for (const auto& line : bad) {
    CAPTURE(line);
    CHECK_FALSE(parse_submodules(line + "\n").has_value());
  }
}

TEST_CASE("submodules are bounded") {
  std::string lines;
  for (size_t i = 0; i < kMaxSubmodules; ++i) lines += kCommit + " lib" + std::to_string(i) + "\n";
  CHECK(parse_submodules(lines).value().size() == kMaxSubmodules);
  CHECK(parse_submodules(lines + kCommit + " one-more\n").error().message ==
        "the commit has more than 100 submodules");
  CHECK_FALSE(parse_submodules(std::string(kMaxSubmoduleBytes + 1, 'a')).has_value());
}
