// Random runs against a simple model of the store.
#include <doctest/doctest.h>
#include <fmt/core.h>

#include <map>

#include "io/sim_loop.h"
#include "store/log_store.h"
#include "store/sim_backend.h"

using namespace skiff;
using namespace skiff::store;

namespace {

constexpr int kKeys = 4;

std::unique_ptr<Store> open_on(io::Loop& loop, SimDisk& disk) {
  auto store = make_log_store(loop, make_sim_backend(disk), CommitMode::kInline);
  REQUIRE(store);
  return std::move(*store);
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
