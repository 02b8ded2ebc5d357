// Prints durable creates a second of 1 KB objects with 1 and 8 writers, and the time of a list of 2,000.
// Usage: store_bench FOLDER   (the folder decides which disk is measured)
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "io/file.h"
#include "io/scope.h"
#include "store/store.h"

using namespace skiff;
using Clock = std::chrono::steady_clock;

namespace {

constexpr auto kRun = std::chrono::seconds(3);

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

struct Tally {
  std::vector<double> latencies_ms;
  int failed = 0;
};

io::Task<void> create_until(store::Store* objects, std::string prefix, Clock::time_point end, Tally* tally) {
  for (int i = 0; Clock::now() < end; ++i) {
    const auto start = Clock::now();
    store::Write write{prefix + std::to_string(i), false, store::Expect::absent(),
                       [](store::Revision) { return std::string(1024, 'x'); }};
    auto entry = co_await objects->write(std::move(write));
    if (!entry) ++tally->failed;
    tally->latencies_ms.push_back(ms_since(start));
  }
}

void measure_creates(io::Loop& loop, store::Store& objects, int writers) {
  Tally tally;
  const auto start = Clock::now();
  io::TaskScope scope(loop);
  for (int w = 0; w < writers; ++w) {
    scope.spawn(create_until(&objects, fmt::format("/c{}/{}/", writers, w), start + kRun, &tally));
  }
  scope.when_empty([&] { loop.stop(); });
  loop.run();
  const double seconds = ms_since(start) / 1000;
  auto& all = tally.latencies_ms;
  std::sort(all.begin(), all.end());
  fmt::print("{} writers: {:.0f} creates/s, p50 {:.2f} ms, p99 {:.2f} ms, failed {}\n", writers,
             static_cast<double>(all.size()) / seconds, all[all.size() / 2], all[all.size() * 99 / 100],
             tally.failed);
}

void measure_list(store::Store& objects) {
  store::ListOptions options{"/c", "", 2000, {}};
  auto warm = objects.list(options);
  const auto start = Clock::now();
  auto page = objects.list(options);
  fmt::print("list of {} ({} more): {:.2f} ms\n", page->entries.size(), page->remaining, ms_since(start));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: store_bench FOLDER\n");
    return 2;
  }
  const std::string path = fmt::format("{}/store_bench.{}.db", argv[1], getpid());
  auto loop = io::make_epoll_loop();
  {
    auto objects = store::open_sqlite_store(*loop, path);
    if (!objects) {
      fmt::print(stderr, "{}\n", objects.error().message);
      return 1;
    }
    measure_creates(*loop, **objects, 1);
    measure_creates(*loop, **objects, 8);
    measure_list(**objects);
  }
  unlink(path.c_str());
  unlink((path + "-wal").c_str());
  return 0;
}
