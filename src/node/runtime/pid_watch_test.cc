#include "node/runtime/pid_watch.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace skiff;
using namespace skiff::node;

TEST_CASE("a process reaps its killed descendants, of which none is left in a session of its own") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  io::UniqueFd output(ends[0]), input(ends[1]);
  const pid_t root = ::fork();
  if (root == 0) {
    const pid_t child = ::fork();
    if (child != 0) {
      ::waitpid(child, nullptr, 0);
      ::_exit(7);
    }
    ::setsid();
    if (::fork() == 0) static_cast<void>(::write(input.get(), "x", 1));
    for (;;) ::pause();
  }
  input.reset();
  char byte = 0;
  REQUIRE(::read(output.get(), &byte, 1) == 1);  // all three run
  REQUIRE(kill_descendants(root));
  REQUIRE(ends_within(root, std::chrono::seconds(10)));
  int status = 0;
  REQUIRE(::waitpid(root, &status, 0) == root);
  CHECK(WEXITSTATUS(status) == 7);
  // The end of the pipe is seen when none of them holds it any more.
  pollfd ended{output.get(), POLLIN, 0};
  constexpr int kLimit = 10'000;  // ms
  REQUIRE(::poll(&ended, 1, kLimit) == 1);
  CHECK(::read(output.get(), &byte, 1) == 0);
}

TEST_CASE("a process without descendants gets none any more") {
  const pid_t root = ::fork();
  if (root == 0) {
    for (;;) ::pause();
  }
  CHECK_FALSE(kill_descendants(root));
  int status = 0;
  REQUIRE(::waitpid(root, &status, WUNTRACED) == root);
  CHECK(WIFSTOPPED(status));
  ::kill(root, SIGKILL);
  ::waitpid(root, nullptr, 0);
}
