#include "control/shared/reconciler.h"

#include <doctest/doctest.h>

#include <vector>

#include "io/sim_loop.h"
#include "io/sync.h"

namespace skiff::control {

namespace {

using namespace std::chrono_literals;

// Syncs that take a while, noted as they begin and end.
struct Work {
  explicit Work(io::Loop& l)
      : loop(l), queue(l, "test", [this](std::string key) { return run(this, key); }) {}
  static io::Task<SyncResult> run(Work* self, std::string key) {
    self->log.push_back("begin " + key);
    if (self->rest > Duration(0)) self->queue.rest(key, self->rest);
    co_await io::sleep(self->loop, 10ms);
    self->log.push_back("end " + key);
    if (self->failures > 0) {
      --self->failures;
      co_return fail(Code::kUnavailable, "not now");
    }
    co_return std::optional<Duration>();
  }
  io::Loop& loop;
  std::vector<std::string> log;
  int failures = 0;
  Duration rest{};
  Reconciler queue;
};

using Log = std::vector<std::string>;

}  // namespace

TEST_CASE("nothing is synced before the queue is open") {
  io::SimLoop loop;
  Work work(loop);
  work.queue.add("a");
  loop.advance(1s);
  CHECK(work.log.empty());
  work.queue.open();
  loop.advance(1s);
  CHECK(work.log == Log{"begin a", "end a"});
}

TEST_CASE("a key added while it is synced is synced once more afterwards, others meanwhile") {
  io::SimLoop loop;
  Work work(loop);
  work.queue.open();
  work.queue.add("a");
  loop.advance(5ms);
  for (int i = 0; i < 3; ++i) work.queue.add("a");
  work.queue.add("b");
  loop.advance(1s);
  CHECK(work.log == Log{"begin a", "begin b", "end a", "begin a", "end b", "end a"});
  CHECK(work.queue.idle());
}

TEST_CASE("a failed key is tried again with growing pauses, never dropped") {
  io::SimLoop loop;
  Work work(loop);
  work.failures = 30;
  work.queue.open();
  work.queue.add("a");
  loop.advance(100ms);
  const auto early = work.queue.counters().failures;
  CHECK(early >= 3);
  CHECK(early <= 5);
  loop.advance(std::chrono::hours(1));
  CHECK(work.queue.counters().failures == 30);
  CHECK(work.queue.counters().syncs == 31);
}

TEST_CASE("what comes while a key rests becomes one sync at its end") {
  io::SimLoop loop;
  Work work(loop);
  work.rest = 1s;
  work.queue.open();
  work.queue.add("a");
  for (int i = 0; i < 50; ++i) {
    loop.advance(10ms);
    work.queue.add("a");
  }
  CHECK(work.queue.counters().syncs == 1);
  loop.advance(600ms);
  CHECK(work.queue.counters().syncs == 2);
  loop.advance(10s);
  CHECK(work.queue.counters().syncs == 2);
}

}  // namespace skiff::control
