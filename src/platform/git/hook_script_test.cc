#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "io/file.h"
#include "platform/git/repositories.h"

using namespace skiff;
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

TEST_CASE("a push that ends while its files are read leaves nothing") {
  char name[] = "/tmp/skiff-hook-XXXXXX";
  const std::string folder = ::mkdtemp(name), builds = folder + "/builds";
  REQUIRE(io::write_file_atomic(folder + "/hook", hook_script("shop", builds, "/nowhere", 2)));
  // This git begins the archive, then ends the push.
  const std::string git =
      "#!/bin/sh\necho begun\ncp -r " + builds + " " + folder + "/seen\nkill -TERM $PPID\n";
  REQUIRE(io::write_file_atomic(folder + "/git", git, 0700));
  const std::string none(40, '0'), commit(40, 'a');
  const std::string command = "echo " + none + " " + commit + " refs/heads/main | PATH=" + folder +
                              ":$PATH sh " + folder + "/hook >/dev/null";
  const int status = ::system(command.c_str());
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) != 0);
  CHECK(io::list_directory(folder + "/seen").value().size() == 1);
  CHECK(io::list_directory(builds).value().empty());
  REQUIRE(io::remove_tree(folder));
}
