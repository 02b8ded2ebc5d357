#include "edge/spread.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace skiff::edge {

TEST_CASE("connections that all fall to one worker are spread over all of them") {
  Spread spread(3);
  size_t clients[3] = {};
  for (int i = 0; i < 9; ++i) ++clients[spread.choose(1)];
  for (const size_t count : clients) CHECK(count == 3);
}

TEST_CASE("a worker keeps what it accepted while nobody has fewer clients") {
  Spread spread(2);
  CHECK(spread.choose(1) == 1);
  CHECK(spread.choose(1) == 0);
  CHECK(spread.choose(1) == 1);
  spread.leave(0);
  CHECK(spread.choose(1) == 0);
}

TEST_CASE("what is handed over wakes its worker, is taken once, and is closed when nobody takes it") {
  const int wake = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  const int taken = ::open("/dev/null", O_RDONLY | O_CLOEXEC),
            left = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  {
    Spread spread(2);
    spread.join(1, wake);
    spread.hand_over(1, {taken, "127.0.0.1", true});
    uint64_t count = 0;
    CHECK(::read(wake, &count, sizeof count) == sizeof count);
    CHECK(spread.take(0).empty());
    const auto arrivals = spread.take(1);
    REQUIRE(arrivals.size() == 1);
    CHECK(arrivals[0].fd == taken);
    CHECK(arrivals[0].ip == "127.0.0.1");
    CHECK(arrivals[0].tls);
    CHECK(spread.take(1).empty());
    spread.hand_over(1, {left, "", false});
  }
  CHECK(::fcntl(left, F_GETFD) == -1);
  CHECK(::fcntl(taken, F_GETFD) != -1);
  ::close(taken);
  ::close(wake);
}

}  // namespace skiff::edge
