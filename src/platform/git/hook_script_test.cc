#include "platform/git/hook_script.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/strings.h"
#include "io/file.h"
#include "platform/git/repositories.h"

using namespace skiff;
using namespace skiff::platform;

TEST_CASE("only the two services of git are served") {
  CHECK(is_git_service("git-upload-pack"));
  CHECK(is_git_service("git-receive-pack"));
  CHECK_FALSE(is_git_service("git-shell"));
}

namespace {

// The hook in a folder of its own, with programs of ours in the place of git and curl.
struct Rig {
  Rig() {
    char name[] = "/tmp/skiff-hook-XXXXXX";
    folder = ::mkdtemp(name);
    REQUIRE(io::make_directories(folder + "/objects"));
    REQUIRE(io::write_file_atomic(folder + "/hook", hook_script()));
    program("curl", "cat >/dev/null; echo \"$@\" >>" + folder +
                        "/asked; cp objects/source.tar sent; echo 'skiff-build: ok'");
  }
  ~Rig() { auto removed = io::remove_tree(folder); }
  void program(const std::string& name, const std::string& script) {
    REQUIRE(io::write_file_atomic(folder + "/" + name, "#!/bin/sh\n" + script + "\n", 0700));
  }
  // Of a push of these lines; what was said is in `said`.
  int run(const std::string& updates) {
    REQUIRE(io::write_file_atomic(folder + "/updates", updates));
    const std::string command = "cd " + folder + "; PATH=" + folder + ":$PATH GIT_QUARANTINE_PATH=" + folder +
                                "/objects SKIFF_MOST_REFS=3 SKIFF_MOST_SUBMODULES=2 SKIFF_BLOCKS=4096 "
                                "SKIFF_SIZE='2 MB' SKIFF_SOCKET=/nowhere "
                                "sh hook <updates >said 2>&1";
    const int status = ::system(command.c_str());
    said = io::read_file(folder + "/said").value_or("");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  bool asked() const { return io::path_exists(folder + "/asked"); }
  std::string folder, said;
};

const std::string kNone(40, '0'), kCommit(40, 'a');
const std::string kPush = kNone + " " + kCommit + " refs/heads/main\n";

std::string git_that_says(const std::string& kind, const std::string& update = "cat >/dev/null") {
  return "case \"$1 $2\" in 'cat-file -t') echo " + kind + " ;; 'cat-file -e') exit 1 ;; update-ref*) " +
         update + " ;; archive*) echo files ;; esac";
}

}  // namespace

TEST_CASE("a commit is built") {
  Rig rig;
  rig.program("git", git_that_says("commit"));
  CHECK(rig.run(kPush) == 0);
  CHECK(rig.asked());
  CHECK(io::list_directory(rig.folder + "/objects").value().empty());
}

TEST_CASE("a refusal is told in the platform's words alone, and an answer that breaks off as that") {
  Rig rig;
  rig.program("git", git_that_says("commit"));
  const auto answer = [&](const std::string& script) {
    rig.program("curl",
                "cat >/dev/null; case \"$*\" in *-sS*) echo 'curl: (56) error' >&2 ;; esac; " + script);
    return rig.run(kPush);
  };
  CHECK(answer("echo ' !     Push refused: busy'") == 1);
  CHECK(rig.said == " !     Push refused: busy\n");
  CHECK(answer("echo building; exit 56") == 1);
  CHECK(rig.said == "building\n !     Push refused: the platform went away (curl 56); push again\n");
  CHECK(answer("echo building; echo 'skiff-build: ok'; exit 18") == 0);
  CHECK(rig.said == "building\n");
}

TEST_CASE("a commit's submodules are told before its files, no more than so many") {
  Rig rig;
  const std::string tree = "040000 tree " + kCommit + "\\tsrc\\n160000 commit " + kCommit +
                           "\\tlib/a b\\n160000 commit " + kCommit + "\\tx\\n160000 commit " + kCommit +
                           "\\ty\\n";
  rig.program("git", "case \"$3 $1 $2\" in ls-tree*) printf '" + tree +
                         "' ;; *' cat-file -t') echo commit ;; *update-ref*) "
                         "cat >/dev/null ;; *archive*) echo files ;; esac");
  CHECK(rig.run(kPush) == 0);
  const std::string lines = kCommit + " lib/a b\n" + kCommit + " x\n";
  CHECK(io::read_file(rig.folder + "/sent").value() == lines + "files\n");
  CHECK(io::read_file(rig.folder + "/asked").value().find("&submodules=" + std::to_string(lines.size())) !=
        std::string::npos);
}

TEST_CASE("what is no commit is refused before anything is asked for") {
  for (const char* kind : {"tree", "blob", "tag"}) {
    Rig rig;
    rig.program("git", git_that_says(kind));
    CHECK(rig.run(kPush) == 1);
    CHECK_FALSE(rig.asked());
    CHECK(rig.said.find(std::string("main would become a ") + kind + ", and only commits are deployed") !=
          std::string::npos);
  }
}

TEST_CASE("what git will not take is refused before anything is asked for") {
  Rig rig;
  rig.program("git", git_that_says("commit", "cat >/dev/null; echo 'fatal: there is main/x' >&2; exit 128"));
  CHECK(rig.run(kPush) == 1);
  CHECK_FALSE(rig.asked());
  CHECK(rig.said.find("git does not take main: fatal: there is main/x") != std::string::npos);
}

TEST_CASE("tags are kept, not deployed; many at once are refused") {
  Rig rig;
  rig.program("git", git_that_says("tag"));
  CHECK(rig.run(kNone + " " + kCommit + " refs/tags/v1\n") == 0);
  std::string many;
  for (int i = 0; i < 4; ++i) many += kNone + " " + kCommit + " refs/tags/v" + std::to_string(i) + "\n";
  CHECK(rig.run(many) == 1);
  CHECK(rig.said.find("more than 3 branches and tags") != std::string::npos);
  CHECK_FALSE(rig.asked());
}

TEST_CASE("a push that ends while its files are read leaves nothing") {
  Rig rig;
  // This git begins the archive, then ends the push.
  rig.program(
      "git",
      "case \"$1 $2\" in 'cat-file -t') echo commit ;; update-ref*) cat >/dev/null ;; archive*) echo begun; "
      "ls objects >seen; kill -TERM $PPID ;; esac");
  CHECK(rig.run(kPush) != 0);
  CHECK(io::read_file(rig.folder + "/seen").value() == "source.tar\n");
  CHECK(io::list_directory(rig.folder + "/objects").value().empty());
  CHECK_FALSE(rig.asked());
}
