// The crash tests are only worth something if they notice a broken store: each fault here must be caught, and
// a sound backend must pass the same questions.
#include <doctest/doctest.h>

#include "store/crash_rig.h"
#include "store/faulty_backend.h"
#include "store/log_store.h"
#include "store/sim_backend.h"
#include "store/sim_vfs.h"
#include "store/sqlite_backend.h"

using namespace skiff;
using namespace skiff::store;

namespace {

constexpr size_t kMostWrites = 60;  // of one run; a crash beyond the last write is a plain restart

// Until a batch fails, the revisions on disk follow each other.
bool has_gap(Store& store) {
  auto expected = number(store.compacted());
  auto watch = store.watch("", store.compacted());
  REQUIRE(watch);
  while (auto event = (*watch)->try_next()) {
    if (number(event->entry.modified) != ++expected) return true;
  }
  return false;
}

// What the crash test finds on a backend with this fault; "" when it notices nothing.
std::string find_loss_on_disk(Fault fault, uint64_t seed, size_t at) {
  io::SimLoop loop(seed, io::SimLoop::Order::kShuffled);
  SimDisk disk;
  Ledger ledger;
  std::vector<Revision> batches{Revision{}};
  {
    auto faulty = std::make_unique<FaultyBackend>(make_sim_backend(disk), fault);
    auto store =
        make_log_store(loop, std::make_unique<BatchSpy>(std::move(faulty), batches), CommitMode::kInline);
    REQUIRE(store);
    disk.crash_at(at, SimDisk::Crash::kLost);
    run_writers(loop, **store, seed, ledger);
  }
  disk.restart();
  auto store = make_log_store(loop, make_sim_backend(disk), CommitMode::kInline);
  if (!store) return store.error().message;
  auto loss = find_loss(**store, ledger);
  if (loss.empty() && has_gap(**store)) loss = "a revision before the newest is missing";
  if (loss.empty() && std::ranges::find(batches, (*store)->current()) == batches.end())
    loss = "half of a batch is there";
  return loss;
}

std::string find_loss(Fault fault) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    for (size_t at = 0; at < kMostWrites; ++at) {
      auto loss = find_loss_on_disk(fault, seed, at);
      if (!loss.empty()) return fmt::format("seed {}, write {}: {}", seed, at, loss);
    }
  }
  return "";
}

// The same on SQLite, whose file system lies.
std::string find_loss_on_sqlite(SimVfs::Lie lie, uint64_t seed, size_t at) {
  SimVfs vfs(seed * 1000 + at);
  vfs.set_lie(lie);
  vfs.crash_at(at);
  Ledger ledger;
  {
    io::SimLoop loop(seed, io::SimLoop::Order::kShuffled);
    auto backend = open_sqlite_backend("store.db", {vfs.name()});
    if (backend) {
      auto store = make_log_store(loop, std::move(*backend), CommitMode::kInline);
      if (store) run_writers(loop, **store, seed, ledger);
    }
  }
  vfs.restart();
  io::SimLoop loop(seed);
  auto backend = open_sqlite_backend("store.db", {vfs.name()});
  if (!backend) return backend.error().message;
  auto store = make_log_store(loop, std::move(*backend), CommitMode::kInline);
  return store ? find_loss(**store, ledger) : store.error().message;
}

std::string find_loss(SimVfs::Lie lie) {
  constexpr size_t kMostOperations = 400;
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    for (size_t at = 0; at < kMostOperations; ++at) {
      auto loss = find_loss_on_sqlite(lie, seed, at);
      if (!loss.empty()) return fmt::format("seed {}, operation {}: {}", seed, at, loss);
    }
  }
  return "";
}

}  // namespace

TEST_CASE("the crash test passes a sound backend and notices every broken one") {
  CHECK(find_loss(Fault::kNone) == "");
  CHECK(find_loss(Fault::kAcksEarly) != "");
  CHECK(find_loss(Fault::kSplitsBatches) != "");
  CHECK(find_loss(Fault::kReorders) != "");
  CHECK(find_loss(Fault::kForgetsMark) != "");
  CHECK(find_loss(Fault::kErasesNewest) != "");
}

TEST_CASE("the crash test on SQLite notices each kind of sync that is left out") {
  CHECK(find_loss(SimVfs::Lie::kNone) == "");
  CHECK(find_loss(SimVfs::Lie::kAllSyncs) != "");
  CHECK(find_loss(SimVfs::Lie::kLogSyncs) != "");
  CHECK(find_loss(SimVfs::Lie::kFileSyncs) != "");
}
