#include "node/runtime/pid_watch.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace skiff;
using namespace skiff::node;

TEST_CASE("killing a tree of processes kills those in sessions of their own, too") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  io::UniqueFd output(ends[0]), input(ends[1]);
  const pid_t root = ::fork();
  if (root == 0) {
    if (::fork() == 0) {
      ::setsid();
      if (::fork() == 0) static_cast<void>(::write(input.get(), "x", 1));
    }
    for (;;) ::pause();
  }
  input.reset();
  char byte = 0;
  REQUIRE(::read(output.get(), &byte, 1) == 1);  // all three run
  kill_tree(root);
  ::waitpid(root, nullptr, 0);
  // The end of the pipe is seen when none of them holds it any more.
  pollfd ended{output.get(), POLLIN, 0};
  constexpr int kLimit = 10'000;  // ms
  REQUIRE(::poll(&ended, 1, kLimit) == 1);
  CHECK(::read(output.get(), &byte, 1) == 0);
}
