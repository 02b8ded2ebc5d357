// Durable creates of 1 KB objects a second: the store against plain SQLite with one transaction for each
// write, alternating in one run, with 1 and 8 writers; then the time of a list of 2,000. Usage: store_bench
// FOLDER [ROUNDS]   (the folder decides which disk is measured)
//
// A writer is a thread that waits for its answer before it writes again, as a connection of the API server
// does. The peer has the same durability (WAL, synchronous=FULL), a connection for each writer, and no more
// to do than insert; the store also checks, numbers and publishes.
#include <fcntl.h>
#include <fmt/core.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <semaphore>
#include <thread>
#include <vector>

#include "io/file.h"
#include "io/scope.h"
#include "store/store.h"

using namespace skiff;
using Clock = std::chrono::steady_clock;

namespace {

constexpr auto kRun = std::chrono::seconds(2);
constexpr size_t kBytes = 1024;

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

struct Tally {
  std::vector<double> latencies_ms;
  int failed = 0;
};

// What a writer does: create the object of this name; false when it failed.
using Create = std::function<bool(const std::string& name)>;

// Runs `writers` threads, each with its own Create; gives creates a second.
double measure(const char* what, int writers, const std::function<Create(int)>& make_writer) {
  static int run = 0;
  const int number = ++run;
  std::vector<Tally> tallies(static_cast<size_t>(writers));
  std::vector<std::thread> threads;
  const auto start = Clock::now();
  for (int w = 0; w < writers; ++w) {
    threads.emplace_back([&, w] {
      const Create create = make_writer(w);
      Tally& tally = tallies[static_cast<size_t>(w)];
      for (int i = 0; Clock::now() < start + kRun; ++i) {
        const auto begin = Clock::now();
        tally.failed += !create(fmt::format("/bench/{}/{}/{}", number, w, i));
        tally.latencies_ms.push_back(ms_since(begin));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const double seconds = ms_since(start) / 1000;
  std::vector<double> all;
  int failed = 0;
  for (const auto& tally : tallies) {
    all.insert(all.end(), tally.latencies_ms.begin(), tally.latencies_ms.end());
    failed += tally.failed;
  }
  std::sort(all.begin(), all.end());
  const double rate = static_cast<double>(all.size()) / seconds;
  fmt::print("   {:<12} {} writers {:>7.0f}/s  p50 {:6.2f} ms  p99 {:6.2f} ms  failed {}\n", what, writers,
             rate, all[all.size() / 2], all[all.size() * 99 / 100], failed);
  return rate;
}

io::Task<void> create_one(store::Store* objects, std::string name, bool* worked,
                          std::binary_semaphore* done) {
  store::Write write{std::move(name), false, store::Expect::absent(),
                     [](store::Revision) { return std::string(kBytes, 'x'); }};
  auto entry = co_await objects->write(std::move(write));
  *worked = entry.has_value();
  done->release();
}

// The loop runs in a thread of its own; writers post to it.
double measure_store(io::Loop& loop, store::Store& objects, int writers) {
  io::TaskScope scope(loop);
  std::thread server([&] { loop.run(); });
  const double rate = measure("store", writers, [&](int) -> Create {
    return [&](const std::string& name) {
      bool worked = false;
      std::binary_semaphore done(0);
      loop.post_remote([&] { scope.spawn(create_one(&objects, name, &worked, &done)); });
      done.acquire();
      return worked;
    };
  });
  loop.post_remote([&] { loop.stop(); });
  server.join();
  return rate;
}

struct Connection {
  explicit Connection(const std::string& path) {
    sqlite3_open(path.c_str(), &db);
    sqlite3_busy_timeout(db, 10'000);
    sqlite3_exec(db,
                 "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                 "CREATE TABLE IF NOT EXISTS object(name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;",
                 nullptr, nullptr, nullptr);
    sqlite3_prepare_v2(db, "INSERT INTO object VALUES(?1, ?2)", -1, &insert, nullptr);
  }
  ~Connection() {
    sqlite3_finalize(insert);
    sqlite3_close(db);
  }
  sqlite3* db = nullptr;
  sqlite3_stmt* insert = nullptr;
};

double measure_peer(const std::string& path, int writers) {
  return measure("plain SQLite", writers, [&](int) -> Create {
    auto connection = std::make_shared<Connection>(path);
    return [connection](const std::string& name) {
      static const std::string value(kBytes, 'x');
      sqlite3_bind_text(connection->insert, 1, name.data(), static_cast<int>(name.size()), SQLITE_STATIC);
      sqlite3_bind_blob(connection->insert, 2, value.data(), static_cast<int>(value.size()), SQLITE_STATIC);
      const bool worked = sqlite3_step(connection->insert) == SQLITE_DONE;
      sqlite3_reset(connection->insert);
      return worked;
    };
  });
}

// What the disk allows a writer that shares no sync: the ceiling of one writer.
double measure_bare_file(const std::string& path) {
  return measure("bare file", 1, [&](int) -> Create {
    auto file =
        std::make_shared<io::UniqueFd>(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    return [file](const std::string&) {
      static const std::string value(kBytes, 'x');
      return ::write(file->get(), value.data(), value.size()) == ssize_t(value.size()) &&
             fdatasync(file->get()) == 0;
    };
  });
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void measure_list(store::Store& objects) {
  store::ListOptions options{"/bench", "", 2000, {}};
  auto warm = objects.list(options);
  const auto start = Clock::now();
  auto page = objects.list(options);
  fmt::print("   list of {} ({} more): {:.2f} ms\n", page->entries.size(), page->remaining, ms_since(start));
}

void remove_database(const std::string& path) {
  for (const char* suffix : {"", "-wal", "-shm"}) unlink((path + suffix).c_str());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: store_bench FOLDER [ROUNDS]\n");
    return 2;
  }
  const int rounds = argc > 2 ? std::max(1, std::atoi(argv[2])) : 3;
  const std::string path = fmt::format("{}/store_bench.{}.db", argv[1], getpid());
  const std::string peer = path + ".peer";
  {
    Connection first(peer);  // makes the table before the writers race for it
    auto loop = io::make_epoll_loop();
    auto objects = store::open_sqlite_store(*loop, path);
    if (!objects) {
      fmt::print(stderr, "{}\n", objects.error().message);
      return 1;
    }
    std::vector<double> bare;
    for (const int writers : {1, 8}) {
      std::vector<double> ours, theirs;
      for (int round = 0; round < rounds; ++round) {
        ours.push_back(measure_store(*loop, **objects, writers));
        theirs.push_back(measure_peer(peer, writers));
        if (writers == 1) bare.push_back(measure_bare_file(path + ".bare"));
      }
      fmt::print(
          "RATIO store/plain SQLite, one transaction a write, {} writers {:.2f} (median {:.0f}/s against "
          "{:.0f}/s)\n",
          writers, median(ours) / median(theirs), median(ours), median(theirs));
    }
    measure_list(**objects);
  }
  remove_database(path);
  remove_database(peer);
  unlink((path + ".bare").c_str());
  return 0;
}
