// A crash at every write of the simulated disk, and random runs against a simple model.
#include <doctest/doctest.h>
#include <fmt/core.h>

#include <map>

#include "io/sim_loop.h"
#include "store/log_store.h"
#include "store/sim_backend.h"
#include "store/sim_vfs.h"
#include "store/sqlite_backend.h"

using namespace skiff;
using namespace skiff::store;

namespace {

constexpr int kKeys = 4;
constexpr int kWriters = 3;
constexpr int kRounds = 8;

std::unique_ptr<Store> open_on(io::Loop& loop, SimDisk& disk) {
  auto store = make_log_store(loop, make_sim_backend(disk), CommitMode::kInline);
  REQUIRE(store);
  return std::move(*store);
}

struct Acknowledged {
  Entry entry;
  bool removed = false;
};
using Ledger = std::map<Revision, Acknowledged>;

io::Task<void> churn(Store* store, int writer, uint64_t seed, Ledger* ledger) {
  SeededRandom random(seed * 100 + static_cast<uint64_t>(writer));
  for (int i = 0; i < kRounds; ++i) {
    const std::string key = fmt::format("/{}", random.below(kKeys));
    const bool remove = random.below(4) == 0;
    Write write{
        key, remove, {}, [writer, i](Revision r) { return fmt::format("{}-{}-{}", number(r), writer, i); }};
    auto entry = co_await store->write(std::move(write));
    if (entry) ledger->insert_or_assign(entry->modified, Acknowledged{*entry, remove});
    if (random.below(5) == 0) {
      const Revision current = store->current();
      auto compacted = co_await store->compact(current);
      static_cast<void>(compacted);
    }
  }
}

void run_writers(io::SimLoop& loop, Store& store, uint64_t seed, Ledger& ledger) {
  io::TaskScope scope(loop);
  for (int w = 0; w < kWriters; ++w) scope.spawn(churn(&store, w, seed, &ledger));
  loop.run_until_idle();
  CHECK(scope.size() == 0);
}

// Every acknowledged write that history keeps is in the history; every key is at its newest acknowledged
// write or at one that was under way at the crash.
void check_nothing_lost(Store& store, const Ledger& ledger) {
  std::map<Revision, Event> history;
  auto watch = store.watch("", store.compacted());
  REQUIRE(watch);
  while (auto event = (*watch)->try_next()) history.emplace(event->entry.modified, *event);
  std::map<std::string, Acknowledged> newest;
  for (const auto& [revision, write] : ledger) {
    REQUIRE(revision <= store.current());
    newest[write.entry.key] = write;
    if (revision <= store.compacted()) continue;
    REQUIRE(history.contains(revision));
    CHECK(history.at(revision).entry.key == write.entry.key);
    CHECK(*history.at(revision).entry.value == *write.entry.value);
  }
  for (const auto& [key, write] : newest) {
    const auto entry = store.get(key);
    const bool written_later = entry && entry->modified > write.entry.modified;
    if (written_later) {
      CHECK(!ledger.contains(entry->modified));
      continue;
    }
    bool removed_later = false;
    for (const auto& [revision, event] : history) {
      if (revision > write.entry.modified && event.entry.key == key) removed_later = true;
    }
    if (write.removed || removed_later) {
      CHECK(!entry);
    } else {
      REQUIRE(entry);
      CHECK(*entry->value == *write.entry.value);
      CHECK(entry->created == write.entry.created);
    }
  }
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
  check_nothing_lost(*store, ledger);
  run_writers(loop, *store, seed + 1, ledger);
  store.reset();
  store = open_on(loop, disk);
  check_nothing_lost(*store, ledger);
}

Result<std::unique_ptr<Store>> open_sqlite_on(io::Loop& loop, const SimVfs& vfs) {
  auto backend = open_sqlite_backend("store.db", {vfs.name()});
  if (!backend) return std::unexpected(std::move(backend).error());
  return make_log_store(loop, std::move(*backend), CommitMode::kInline);
}

// Gives the number of disk operations; nothing when the crash came while the store was opened.
size_t run_sqlite(SimVfs& vfs, uint64_t seed, Ledger& ledger) {
  io::SimLoop loop(seed, io::SimLoop::Order::kShuffled);
  auto store = open_sqlite_on(loop, vfs);
  if (store) run_writers(loop, **store, seed, ledger);
  return vfs.operations();
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
  check_nothing_lost(**store, ledger);
  run_writers(loop, **store, seed + 1, ledger);
  store->reset();
  store = open_sqlite_on(loop, vfs);
  REQUIRE(store);
  check_nothing_lost(**store, ledger);
}

// The same as the store in the plainest form: every state of every revision, whole.
struct Model {
  std::map<std::string, Entry> now;
  std::map<Revision, std::map<std::string, Entry>> states{{Revision{}, {}}};
};

Expect random_expect(SeededRandom& random, const Model& model, const std::string& key) {
  const auto found = model.now.find(key);
  switch (random.below(3)) {
    case 0:
      return Expect::absent();
    case 1:
      return Expect::at(found == model.now.end() || random.below(4) == 0 ? Revision{7777}
                                                                         : found->second.modified);
    default:
      return {};
  }
}

std::optional<Code> predict(const Model& model, const Write& write) {
  const auto found = model.now.find(write.key);
  const bool exists = found != model.now.end();
  if (write.expect.kind == Expect::Kind::kAbsent) {
    if (exists) return Code::kAlreadyExists;
    return std::nullopt;
  }
  if (!exists && (write.remove || write.expect.kind == Expect::Kind::kRevision)) return Code::kNotFound;
  if (write.expect.kind == Expect::Kind::kRevision && found->second.modified != write.expect.revision) {
    return Code::kConflict;
  }
  return std::nullopt;
}

void compare(const Store& store, const Model& model, Revision at) {
  auto page = store.list({"", "", 0, at});
  if (at < store.compacted() && number(at) != 0) {
    REQUIRE(!page);
    CHECK(page.error().code == Code::kExpired);
    return;
  }
  REQUIRE(page);
  const auto& expected = number(at) == 0 ? model.now : model.states.at(at);
  REQUIRE(page->entries.size() == expected.size());
  size_t i = 0;
  for (const auto& [key, entry] : expected) {
    CHECK(page->entries[i].key == key);
    CHECK(*page->entries[i].value == *entry.value);
    CHECK(page->entries[i].modified == entry.modified);
    CHECK(page->entries[i++].created == entry.created);
  }
}

void step_model(io::SimLoop& loop, Store& store, Model& model, SeededRandom& random) {
  const std::string key = fmt::format("/{}", random.below(kKeys));
  // A removal of what must be absent means nothing; it is not asked for.
  const bool remove = random.below(3) == 0;
  Write write{key, remove, remove ? Expect{} : random_expect(random, model, key),
              [](Revision r) { return fmt::format("v{}", number(r)); }};
  const auto predicted = predict(model, write);
  auto result = io::block_on(loop, store.write(std::move(write)));
  REQUIRE(result.has_value() == !predicted.has_value());
  if (!result) {
    CHECK(result.error().code == *predicted);
    return;
  }
  if (remove) {
    model.now.erase(key);
  } else {
    model.now[key] = *result;
  }
  model.states[result->modified] = model.now;
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
      operations = run_sqlite(vfs, seed, ledger);
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
  check_nothing_lost(*store, after);
}

TEST_CASE("random histories match a simple model, also after restarts") {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    INFO("seed ", seed);
    io::SimLoop loop(seed);
    SimDisk disk;
    Model model;
    SeededRandom random(seed);
    auto store = open_on(loop, disk);
    for (int step = 0; step < 200; ++step) {
      step_model(loop, *store, model, random);
      if (random.below(20) == 0) {
        const Revision to{
            static_cast<int64_t>(random.below(static_cast<uint64_t>(number(store->current())) + 1))};
        REQUIRE(io::block_on(loop, store->compact(to)));
      }
      if (random.below(20) == 0) {
        store.reset();
        store = open_on(loop, disk);
      }
      const Revision at{
          static_cast<int64_t>(random.below(static_cast<uint64_t>(number(store->current())) + 1))};
      compare(*store, model, at);
      compare(*store, model, {});
    }
  }
}
