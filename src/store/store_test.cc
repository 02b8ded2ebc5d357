// What every store does, checked on the one in memory and on SQLite.
#include "store/store.h"

#include <doctest/doctest.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "io/file.h"
#include "io/sim_loop.h"
#include "store/log_store.h"
#include "store/sqlite_backend.h"
#include "store/state.h"

using namespace skiff;
using namespace skiff::store;

namespace {

Write put(std::string key, std::string value, Expect expect = {}) {
  return {std::move(key), false, expect, [value = std::move(value)](Revision) { return value; }};
}
Write removal(std::string key, Expect expect = {}) {
  return {std::move(key), true, expect, [](Revision) { return std::string("last"); }};
}

// A folder that is gone with the test.
struct Folder {
  std::string path = [] {
    std::string name = (std::filesystem::temp_directory_path() / "skiff-store-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    return name;
  }();
  ~Folder() { static_cast<void>(io::remove_tree(path)); }
  std::string file() const { return path + "/store.db"; }
};

struct Rig {
  Folder folder;
  io::SimLoop loop;
  std::unique_ptr<Store> store;

  explicit Rig(bool sqlite, SqliteOptions options = {}) {
    if (sqlite) {
      open(options);
    } else {
      store = make_memory_store(loop);
    }
  }
  void open(SqliteOptions options = {}) {
    store.reset();
    auto backend = open_sqlite_backend(folder.file(), options);
    REQUIRE(backend);
    auto opened = make_log_store(loop, std::move(*backend), CommitMode::kInline);
    REQUIRE(opened);
    store = std::move(*opened);
  }
  Result<Entry> write(Write write) { return io::block_on(loop, store->write(std::move(write))); }
  Result<void> compact(int64_t revision) { return io::block_on(loop, store->compact(Revision{revision})); }
  Page list(ListOptions options) {
    auto page = store->list(options);
    REQUIRE(page);
    return *page;
  }
};

io::Task<void> write_into(Store* store, Write write, std::optional<Result<Entry>>* out) {
  auto result = co_await store->write(std::move(write));
  out->emplace(std::move(result));
}

// Starts all at once; gives the results in the same order.
std::vector<Result<Entry>> write_together(Rig& rig, std::vector<Write> writes) {
  std::vector<std::optional<Result<Entry>>> out(writes.size());
  io::TaskScope scope(rig.loop);
  for (size_t i = 0; i < writes.size(); ++i) {
    scope.spawn(write_into(rig.store.get(), std::move(writes[i]), &out[i]));
  }
  rig.loop.run_until_idle();
  std::vector<Result<Entry>> results;
  for (auto& one : out) {
    REQUIRE(one.has_value());
    results.push_back(std::move(*one));
  }
  return results;
}

}  // namespace

TEST_CASE("expectations decide over a write") {
  for (const bool sqlite : {false, true}) {
    Rig rig(sqlite);
    CHECK(number(rig.write(put("/a", "1", Expect::absent()))->modified) == 1);
    CHECK(rig.write(put("/a", "2", Expect::absent())).error().code == Code::kAlreadyExists);
    CHECK(rig.write(put("/a", "2", Expect::at(Revision{9}))).error().code == Code::kConflict);
    CHECK(rig.write(put("/b", "2", Expect::at(Revision{1}))).error().code == Code::kNotFound);
    CHECK(rig.write(removal("/b")).error().code == Code::kNotFound);
    auto second = rig.write(put("/a", "2", Expect::at(Revision{1})));
    REQUIRE(second);
    CHECK(number(second->created) == 1);
    CHECK(number(rig.store->current()) == 2);
    CHECK(rig.write(removal("/a", Expect::at(Revision{2}))));
    CHECK(!rig.store->get("/a"));
  }
}

TEST_CASE("of writes that wait together one wins and the loser returns after it is durable") {
  for (const bool sqlite : {false, true}) {
    Rig rig(sqlite);
    auto results = write_together(rig, {put("/a", "1", Expect::absent()), put("/a", "2", Expect::absent()),
                                        removal("/a"), put("/a", "4")});
    CHECK(results[0]);
    CHECK(results[1].error().code == Code::kAlreadyExists);
    CHECK(number(results[2]->modified) == 2);
    CHECK(number(results[3]->created) == 3);
    CHECK(*rig.store->get("/a")->value == "4");
  }
}

TEST_CASE("nothing is seen before it is durable") {
  Rig rig(false);
  auto watch = *rig.store->watch("/", {});
  std::optional<Result<Entry>> out;
  io::TaskScope scope(rig.loop);
  Store* store = rig.store.get();
  bool encoded = false;
  scope.spawn(write_into(store,
                         {"/a",
                          false,
                          {},
                          [&](Revision) {
                            rig.loop.post([&] {
                              CHECK(!store->get("/a"));
                              CHECK(!watch->try_next());
                              CHECK(number(store->current()) == 0);
                              CHECK(!out);
                            });
                            encoded = true;
                            return std::string("v");
                          }},
                         &out));
  rig.loop.run_until_idle();
  CHECK(encoded);
  CHECK(out.has_value());
  CHECK(watch->try_next()->entry.key == "/a");
}

TEST_CASE("what comes after a page is counted while it is little") {
  State state;
  auto put = [&](uint64_t number) {
    state.apply({fmt::format("/p/{:05}", number), nullptr, Revision(number), Revision(number), false});
  };
  for (size_t i = 1; i <= kMaxCounted + 2; ++i) put(i);
  auto page = state.list({"/p/", "", 2, {}});
  REQUIRE(page);
  CHECK(page->more);
  CHECK(page->remaining == kMaxCounted);
  put(kMaxCounted + 3);
  page = state.list({"/p/", "", 2, {}});
  REQUIRE(page);
  CHECK(page->more);
  CHECK(page->remaining == 0);
}

TEST_CASE("lists page through one revision while writes go on") {
  for (const bool sqlite : {false, true}) {
    Rig rig(sqlite);
    for (int i = 0; i < 5; ++i) REQUIRE(rig.write(put(fmt::format("/p/{}", i), "v")));
    REQUIRE(rig.write(put("/q/0", "other")));
    auto first = rig.list({"/p/", "", 2, {}});
    CHECK(first.entries.size() == 2);
    CHECK(first.more);
    CHECK(first.remaining == 3);
    REQUIRE(rig.write(removal("/p/3")));
    REQUIRE(rig.write(put("/p/9", "new")));
    auto rest = rig.list({"/p/", first.entries.back().key, 0, first.revision});
    REQUIRE(rest.entries.size() == 3);
    CHECK(rest.entries[1].key == "/p/3");
    CHECK(!rest.more);
    CHECK(rig.store->list({"", "", 0, Revision{99}}).error().code == Code::kUnavailable);
  }
}

TEST_CASE("a watch resumes from any kept revision and says how far it has seen") {
  for (const bool sqlite : {false, true}) {
    Rig rig(sqlite);
    REQUIRE(rig.write(put("/a/1", "x")));
    REQUIRE(rig.write(put("/b/1", "x")));
    REQUIRE(rig.write(put("/a/1", "y")));
    REQUIRE(rig.write(removal("/a/1")));
    REQUIRE(rig.write(put("/b/2", "x")));
    auto watch = *rig.store->watch("/a/", Revision{1});
    CHECK(number(watch->seen()) == 2);
    auto changed = watch->try_next();
    CHECK(*changed->previous == "x");
    CHECK(*changed->entry.value == "y");
    auto removed = io::block_on(rig.loop, watch->next());
    CHECK(removed->kind == Event::Kind::kRemove);
    CHECK(*removed->entry.value == "last");
    CHECK(number(removed->entry.modified) == 4);
    CHECK(!watch->try_next());
    CHECK(number(watch->seen()) == 5);
  }
}

TEST_CASE("every write reaches exactly the watches whose prefix begins its key") {
  Rig rig(false);
  SeededRandom random(7);
  const std::vector<std::string> prefixes{"", "/", "/a", "/a/", "/a/b", "/ab", "/b/", "/zz"};
  std::vector<std::unique_ptr<Watch>> watches;
  for (const auto& prefix : prefixes) {
    auto watch = rig.store->watch(prefix, {});
    REQUIRE(watch);
    watches.push_back(std::move(*watch));
  }
  std::map<std::string, std::vector<std::string>> expected, got;
  const auto drain = [&](size_t i) {
    while (auto event = watches[i]->try_next()) got[prefixes[i]].push_back(event->entry.key);
    CHECK(watches[i]->seen() == rig.store->current());
  };
  for (int round = 0; round < 300; ++round) {
    std::string key = "/";
    for (uint64_t length = random.below(5); length > 0; --length) key += "ab/"[random.below(3)];
    REQUIRE(rig.write(put(key, "v")));
    for (const auto& prefix : prefixes) {
      if (key.starts_with(prefix)) expected[prefix].push_back(key);
    }
    drain(random.below(watches.size()));  // the others fall behind for a while
  }
  for (size_t i = 0; i < watches.size(); ++i) drain(i);
  CHECK(got == expected);
}

TEST_CASE("compaction forgets old history, and a watch that missed some ends") {
  for (const bool sqlite : {false, true}) {
    Rig rig(sqlite);
    REQUIRE(rig.write(put("/a", "1")));
    auto behind = *rig.store->watch("/a", {});
    auto elsewhere = *rig.store->watch("/z", {});
    REQUIRE(rig.write(put("/a", "2")));
    REQUIRE(rig.write(put("/gone", "1")));
    REQUIRE(rig.write(removal("/gone")));
    CHECK(rig.compact(9).error().code == Code::kInvalidArgument);
    REQUIRE(rig.compact(4));
    CHECK(number(rig.store->compacted()) == 4);
    CHECK(!io::block_on(rig.loop, behind->next()));
    CHECK(!elsewhere->try_next());
    CHECK(rig.store->watch("/a", Revision{3}).error().code == Code::kExpired);
    CHECK(rig.store->watch("/a", Revision{4}));
    CHECK(rig.store->list({"", "", 0, Revision{3}}).error().code == Code::kExpired);
    CHECK(rig.list({"", "", 0, Revision{4}}).entries.size() == 1);
    REQUIRE(rig.write(put("/z", "1")));
    CHECK(elsewhere->try_next()->entry.key == "/z");
  }
}

TEST_CASE("closing the store ends watches and fails waiting writes") {
  Rig rig(false);
  auto watch = *rig.store->watch("", {});
  std::optional<Result<Entry>> out;
  io::TaskScope scope(rig.loop);
  Store* store = rig.store.get();
  scope.spawn(write_into(store,
                         {"/a",
                          false,
                          {},
                          [&](Revision) {
                            rig.loop.post([&] { rig.store.reset(); });
                            return std::string();
                          }},
                         &out));
  rig.loop.run_until_idle();
  REQUIRE(out.has_value());
  CHECK(out->error().code == Code::kUnavailable);
  CHECK(!io::block_on(rig.loop, watch->next()));
}

TEST_CASE("a restart shows everything in place") {
  Rig rig(true);
  REQUIRE(rig.write(put("/a", "1")));
  REQUIRE(rig.write(put("/a", "2")));
  REQUIRE(rig.write(put("/b", "1")));
  REQUIRE(rig.write(removal("/b")));
  REQUIRE(rig.compact(1));
  rig.open();
  CHECK(number(rig.store->current()) == 4);
  CHECK(number(rig.store->compacted()) == 1);
  CHECK(*rig.store->get("/a")->value == "2");
  CHECK(number(rig.store->get("/a")->created) == 1);
  auto watch = *rig.store->watch("", Revision{1});
  CHECK(*watch->try_next()->previous == "1");
  CHECK(watch->try_next()->entry.key == "/b");
  REQUIRE(rig.compact(4));
  rig.open();
  CHECK(number(rig.write(put("/c", "1"))->modified) == 5);
}

TEST_CASE("the file is private") {
  Rig rig(true);
  REQUIRE(rig.write(put("/a", "1")));
  for (const auto& name : {rig.folder.file(), rig.folder.file() + "-wal"}) {
    struct stat status{};
    REQUIRE(stat(name.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
  }
}

TEST_CASE("a second opener is told that the store is in use") {
  Rig rig(true);
  CHECK(open_sqlite_backend(rig.folder.file()).error().code == Code::kUnavailable);
}

TEST_CASE("a damaged file is data loss that says what to do") {
  Folder folder;
  REQUIRE(io::write_file_atomic(folder.file(), std::string(8192, 'x')));
  auto opened = open_sqlite_backend(folder.file());
  REQUIRE(!opened);
  CHECK(opened.error().code == Code::kDataLoss);
  CHECK(opened.error().message.find("backup") != std::string::npos);
}

TEST_CASE("a flipped bit in a value is data loss") {
  Rig rig(true);
  REQUIRE(rig.write(put("/a", std::string(500, 'v'))));
  rig.store.reset();
  auto bytes = io::read_file(rig.folder.file());
  REQUIRE(bytes);
  const auto place = bytes->find("vvvvvvvv");
  REQUIRE(place != std::string::npos);
  (*bytes)[place + 100] = 'w';
  REQUIRE(io::write_file_atomic(rig.folder.file(), *bytes));
  auto backend = open_sqlite_backend(rig.folder.file());
  REQUIRE(backend);
  CHECK((*backend)->load().error().code == Code::kDataLoss);
}

TEST_CASE("a full disk refuses the write, changes nothing, and later writes work") {
  Rig rig(true, {nullptr, 32});
  REQUIRE(rig.write(put("/a", "1")));
  auto watch = *rig.store->watch("", rig.store->current());
  auto big = rig.write(put("/a", std::string(1 << 20, 'x')));
  REQUIRE(!big);
  CHECK(big.error().code == Code::kResourceExhausted);
  CHECK(*rig.store->get("/a")->value == "1");
  CHECK(!watch->try_next());
  auto small = rig.write(put("/a", "2", Expect::at(Revision{1})));
  REQUIRE(small);
  rig.open();
  CHECK(*rig.store->get("/a")->value == "2");
  CHECK(rig.store->current() == small->modified);
}

TEST_CASE("compaction gives space back to the disk") {
  Rig rig(true);
  for (int i = 0; i < 100; ++i) REQUIRE(rig.write(put("/a", std::string(16384, 'x'))));
  rig.store.reset();
  const auto before = std::filesystem::file_size(rig.folder.file());
  rig.open();
  REQUIRE(rig.compact(100));
  rig.store.reset();
  CHECK(std::filesystem::file_size(rig.folder.file()) < before / 2);
}

TEST_CASE("the commit thread acknowledges what a restart shows") {
  Folder folder;
  auto loop = io::make_epoll_loop();
  {
    auto store = open_sqlite_store(*loop, folder.file());
    REQUIRE(store);
    for (int i = 0; i < 5; ++i)
      REQUIRE(io::block_on(*loop, (*store)->write(put(fmt::format("/{}", i), "v"))));
    REQUIRE(io::block_on(*loop, (*store)->compact(Revision{3})));
  }
  auto again = open_sqlite_store(*loop, folder.file());
  REQUIRE(again);
  CHECK((*again)->list({})->entries.size() == 5);
  CHECK(number((*again)->current()) == 5);
}
