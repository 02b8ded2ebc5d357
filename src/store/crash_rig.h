// Writers on a store that may stop at any moment, and the question whether anything acknowledged was lost:
// for the crash tests.
#pragma once

#include <fmt/core.h>

#include <map>
#include <string>

#include "base/check.h"
#include "base/random.h"
#include "io/sim_loop.h"
#include "store/store.h"

namespace skiff::store {

inline constexpr int kKeys = 4;
inline constexpr int kWriters = 3;
inline constexpr int kRounds = 8;

struct Acknowledged {
  Entry entry;
  bool removed = false;
};
using Ledger = std::map<Revision, Acknowledged>;

inline io::Task<void> churn(Store* store, int writer, uint64_t seed, Ledger* ledger) {
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

inline void run_writers(io::SimLoop& loop, Store& store, uint64_t seed, Ledger& ledger) {
  io::TaskScope scope(loop);
  for (int w = 0; w < kWriters; ++w) scope.spawn(churn(&store, w, seed, &ledger));
  loop.run_until_idle();
  SKIFF_CHECK(scope.size() == 0);
}

// What of `ledger` the store has lost, in words; "" when nothing: every acknowledged write that history keeps
// is in the history, and every key is at its newest acknowledged write or at one that was under way at the
// crash.
inline std::string find_loss(Store& store, const Ledger& ledger) {
  std::map<Revision, Event> history;
  auto watch = store.watch("", store.compacted());
  if (!watch) return watch.error().message;
  while (auto event = (*watch)->try_next()) history.emplace(event->entry.modified, *event);
  std::map<std::string, Acknowledged> newest;
  for (const auto& [revision, write] : ledger) {
    if (revision > store.current()) return fmt::format("revision {} is gone", number(revision));
    newest[write.entry.key] = write;
    if (revision <= store.compacted()) continue;
    const auto found = history.find(revision);
    if (found == history.end()) return fmt::format("revision {} is not in the history", number(revision));
    const Entry& entry = found->second.entry;
    if (entry.key != write.entry.key || *entry.value != *write.entry.value)
      return fmt::format("revision {} is another write", number(revision));
  }
  for (const auto& [key, write] : newest) {
    const auto entry = store.get(key);
    if (entry && entry->modified > write.entry.modified) {
      if (ledger.contains(entry->modified)) return key + " shows a write of another key";
      continue;
    }
    bool removed = write.removed;
    for (const auto& [revision, event] : history) {
      if (revision > write.entry.modified && event.entry.key == key) removed = true;
    }
    if (removed != !entry) return key + (removed ? " came back" : " is gone");
    if (entry && (*entry->value != *write.entry.value || entry->created != write.entry.created))
      return key + " has another value";
  }
  return "";
}

}  // namespace skiff::store
