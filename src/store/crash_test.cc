// A crash at every write of the simulated disk and at every operation of a simulated file system.
#include <doctest/doctest.h>
#include <fmt/core.h>

#include <map>

#include "store/crash_rig.h"
#include "store/log_store.h"
#include "store/sim_backend.h"
#include "store/sim_vfs.h"
#include "store/sqlite_backend.h"

using namespace skiff;
using namespace skiff::store;

namespace {

std::unique_ptr<Store> open_on(io::Loop& loop, SimDisk& disk) {
  auto store = make_log_store(loop, make_sim_backend(disk), CommitMode::kInline);
  REQUIRE(store);
  return std::move(*store);
}

void crash_once(uint64_t seed, size_t at, SimDisk::Crash crash) {
  INFO("seed ", seed, " crash at ", at, " kind ", static_cast<int>(crash));
  io::SimLoop loop(seed, io::SimLoop::Order::kShuffled);
  SimDisk disk;
  Ledger ledger;
  {
    auto store = open_on(loop, disk);
    disk.crash_at(at, crash);
    run_writers(loop, *store, seed, ledger);
    REQUIRE(disk.crashed());
  }
  disk.restart();
  auto store = open_on(loop, disk);
  CHECK(find_loss(*store, ledger) == "");
  run_writers(loop, *store, seed + 1, ledger);
  store.reset();
  store = open_on(loop, disk);
  CHECK(find_loss(*store, ledger) == "");
}

Result<std::unique_ptr<Store>> open_sqlite_on(io::Loop& loop, const SimVfs& vfs) {
  auto backend = open_sqlite_backend("store.db", {vfs.name()});
  if (!backend) return std::unexpected(std::move(backend).error());
  return make_log_store(loop, std::move(*backend), CommitMode::kInline);
}

// Opens, writes and closes; any of it may meet the crash.
void run_sqlite(SimVfs& vfs, uint64_t seed, Ledger& ledger) {
  io::SimLoop loop(seed, io::SimLoop::Order::kShuffled);
  auto store = open_sqlite_on(loop, vfs);
  if (store) run_writers(loop, **store, seed, ledger);
}

void crash_sqlite_once(uint64_t seed, size_t at) {
  INFO("seed ", seed, " crash at operation ", at);
  SimVfs vfs(seed * 1000 + at);
  Ledger ledger;
  vfs.crash_at(at);
  run_sqlite(vfs, seed, ledger);
  REQUIRE(vfs.crashed());
  vfs.restart();
  io::SimLoop loop(seed);
  auto store = open_sqlite_on(loop, vfs);
  if (!store) FAIL(store.error().message);
  CHECK(find_loss(**store, ledger) == "");
  run_writers(loop, **store, seed + 1, ledger);
  store->reset();
  store = open_sqlite_on(loop, vfs);
  REQUIRE(store);
  CHECK(find_loss(**store, ledger) == "");
}

}  // namespace

TEST_CASE("a crash at any write loses nothing acknowledged") {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    size_t writes = 0;
    {
      io::SimLoop loop(seed, io::SimLoop::Order::kShuffled);
      SimDisk disk;
      Ledger ledger;
      auto store = open_on(loop, disk);
      run_writers(loop, *store, seed, ledger);
      writes = disk.writes();
    }
    REQUIRE(writes > 5);
    for (size_t at = 0; at < writes; ++at) {
      for (auto crash : {SimDisk::Crash::kLost, SimDisk::Crash::kTorn, SimDisk::Crash::kWhole}) {
        crash_once(seed, at, crash);
      }
    }
  }
}

TEST_CASE("SQLite on a file system that forgets what was not synced loses nothing acknowledged") {
  for (uint64_t seed = 1; seed <= 2; ++seed) {
    size_t operations = 0;
    {
      SimVfs vfs(seed);
      Ledger ledger;
      run_sqlite(vfs, seed, ledger);
      operations = vfs.operations();
      REQUIRE(!ledger.empty());
    }
    REQUIRE(operations > 50);
    for (size_t at = 0; at < operations; ++at) crash_sqlite_once(seed, at);
  }
}

TEST_CASE("a full disk fails all that waits and leaves the state as it was") {
  io::SimLoop loop;
  SimDisk disk;
  auto store = open_on(loop, disk);
  Ledger before;
  run_writers(loop, *store, 1, before);
  const auto current = store->current();
  disk.set_full(true);
  Ledger during;
  run_writers(loop, *store, 2, during);
  CHECK(during.empty());
  CHECK(store->current() == current);
  disk.set_full(false);
  Ledger after = before;
  run_writers(loop, *store, 3, after);
  CHECK(after.size() > before.size());
  CHECK(find_loss(*store, after) == "");
}

TEST_CASE("a disk that fills up at any operation refuses writes, loses nothing and works again with room") {
  for (size_t at = 0; at < 200; at += 3) {
    INFO("full at operation ", at);
    SimVfs vfs(at + 1);
    io::SimLoop loop(at, io::SimLoop::Order::kShuffled);
    Ledger ledger;
    auto store = open_sqlite_on(loop, vfs);
    REQUIRE(store);
    vfs.fill_at(at);
    run_writers(loop, **store, 1, ledger);
    const auto known = ledger.size();
    CHECK(find_loss(**store, ledger) == "");  // readers go on
    auto refused = io::block_on(loop, (*store)->write({"/x", false, {}, [](Revision) { return "v"; }}));
    if (!refused) CHECK(refused.error().code == Code::kResourceExhausted);
    vfs.make_room();
    run_writers(loop, **store, 2, ledger);
    CHECK(ledger.size() > known);
    store->reset();
    store = open_sqlite_on(loop, vfs);
    REQUIRE(store);
    CHECK(find_loss(**store, ledger) == "");
  }
}
