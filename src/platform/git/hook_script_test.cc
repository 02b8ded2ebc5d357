#include <doctest/doctest.h>

#include "platform/git/repositories.h"

using namespace skiff::platform;

TEST_CASE("a packet line counts itself") {
  CHECK(packet_line("# service=git-receive-pack\n") == "001f# service=git-receive-pack\n");
}

TEST_CASE("only the two services of git are served") {
  CHECK(is_git_service("git-upload-pack"));
  CHECK(is_git_service("git-receive-pack"));
  CHECK_FALSE(is_git_service("git-shell"));
}

TEST_CASE("the hook names its app, folder and socket") {
  const auto text = hook_script("shop", "/d/builds", "/d/hook.sock", 2);
  CHECK(text.find("app=shop&id=$id") != std::string::npos);
  CHECK(text.find("builds='/d/builds'") != std::string::npos);
  CHECK(text.find("--unix-socket '/d/hook.sock'") != std::string::npos);
  CHECK(text.find("ulimit -f 4096;") != std::string::npos);
  CHECK(text.find("take more than 2 MB;") != std::string::npos);
  CHECK(text.find('@') == std::string::npos);
}
