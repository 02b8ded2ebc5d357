#include "io/long_work.h"

#include <doctest/doctest.h>

#include <atomic>
#include <future>

using namespace skiff;

namespace {

io::Task<void> hold(io::LongWork* pool, std::shared_future<void> until, std::atomic<int>* begun, int* ended) {
  const int one = co_await io::run_blocking(*pool, [until, begun] {
    ++*begun;
    until.wait();
    return 1;
  });
  *ended += one;
}

io::Task<int> short_work(io::Loop* loop) {
  const int done = co_await io::run_blocking(*loop, [] { return 1; });
  co_return done;
}

}  // namespace

TEST_CASE("long work leaves threads of the pool to short work, and all of it is done in the end") {
  auto loop = io::make_epoll_loop(4);
  io::LongWork pool(*loop, 2);
  std::promise<void> go_on;
  const auto held = go_on.get_future().share();
  std::atomic<int> begun = 0;
  int ended = 0;
  {
    io::TaskScope scope(*loop);
    for (int i = 0; i < 10; ++i) scope.spawn(hold(&pool, held, &begun, &ended));
    for (int i = 0; i < 10; ++i) CHECK(io::block_on(*loop, short_work(loop.get())) == 1);
    CHECK(begun <= 2);
    go_on.set_value();
    scope.when_empty([&loop] { loop->stop(); });
    loop->run();
  }
  CHECK(ended == 10);
  CHECK(begun == 10);
}

TEST_CASE("work whose task was dropped keeps its place until it ends") {
  auto loop = io::make_epoll_loop(4);
  io::LongWork pool(*loop, 1);
  std::promise<void> go_on;
  const auto held = go_on.get_future().share();
  std::atomic<int> begun = 0;
  int ended = 0;
  {
    io::TaskScope dropped(*loop);
    dropped.spawn(hold(&pool, held, &begun, &ended));
    CHECK(io::block_on(*loop, short_work(loop.get())) == 1);
  }
  io::TaskScope scope(*loop);
  scope.spawn(hold(&pool, held, &begun, &ended));
  for (int i = 0; i < 10; ++i) CHECK(io::block_on(*loop, short_work(loop.get())) == 1);
  CHECK(begun <= 1);
  go_on.set_value();
  scope.when_empty([&loop] { loop->stop(); });
  loop->run();
  CHECK(ended == 1);
  CHECK(begun == 2);
}
