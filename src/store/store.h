// The durable store of revisioned objects, with watch: what etcd is to Kubernetes.
//
// One counter numbers every write. A write is acknowledged when it is on disk; writes that wait together
// share one commit (group commit). The newest state and the history since the last compaction are in memory;
// SQLite holds both. All members belong to the loop's thread; commits run in a thread of the store's own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/loop.h"
#include "io/sync.h"

namespace skiff::store {

// The number of a write; the first is 1. 0 means "none".
enum class Revision : int64_t {};
inline int64_t number(Revision revision) {
  return static_cast<int64_t>(revision);
}

using Bytes = std::shared_ptr<const std::string>;

struct Entry {
  std::string key;
  Bytes value;
  Revision modified{};  // the write that made this value
  Revision created{};   // the write that made the key
};

// What must hold for a write to happen.
struct Expect {
  enum class Kind { kAnything, kAbsent, kRevision } kind = Kind::kAnything;
  Revision revision{};
  static Expect absent() { return {Kind::kAbsent, {}}; }
  static Expect at(Revision revision) { return {Kind::kRevision, revision}; }
};

struct Write {
  std::string key;
  bool remove = false;
  Expect expect;
  // Makes the value, given the revision of this write; called once, at once. For a removal: the last state,
  // which watchers receive.
  std::function<std::string(Revision)> encode;
};

struct Event {
  enum class Kind { kPut, kRemove } kind = Kind::kPut;
  Entry entry;     // for a removal: value made by encode, modified = the removal's revision
  Bytes previous;  // the value before; null when the key is new
};

struct ListOptions {
  std::string prefix;
  std::string start_after;  // exclusive; "" from the beginning
  size_t limit = 0;         // 0: all
  Revision at{};            // 0: the newest
};
// A page of a large collection costs what it holds, not what comes after it.
constexpr size_t kMaxCounted = 2'000;
struct Page {
  std::vector<Entry> entries;  // sorted by key
  Revision revision{};         // the state it shows
  bool more = false;
  size_t remaining = 0;  // entries after this page; 0 as well when there are more than kMaxCounted
};

// Events of one prefix in order of revision. Dropping it ends the watch.
class Watch {
 public:
  virtual ~Watch() = default;
  // The next event; nothing when the watcher fell too far behind or the store closed (start again with a
  // list).
  virtual io::Task<std::optional<Event>> next() = 0;
  virtual std::optional<Event> try_next() = 0;
  // Everything up to this revision that concerns the prefix was given out, or is in the queue before it.
  virtual Revision seen() const = 0;
};

class Store {
 public:
  virtual ~Store() = default;
  // Durable when it returns. Conflict or AlreadyExists or NotFound by `expect` (NotFound: revision expected,
  // key absent); ResourceExhausted when the disk is full; the store stays as it was then. A write that fails
  // its expectation because of one not yet durable returns only after that one is.
  virtual io::Task<Result<Entry>> write(Write write) = 0;
  virtual std::optional<Entry> get(const std::string& key) const = 0;
  // Expired when options.at is compacted; Unavailable when it is in the future.
  virtual Result<Page> list(const ListOptions& options) const = 0;
  // Events after `after`. Expired when compacted.
  virtual Result<std::unique_ptr<Watch>> watch(std::string prefix, Revision after) = 0;
  virtual Revision current() const = 0;    // newest durable write
  virtual Revision compacted() const = 0;  // history up to here is gone
  // Forgets history up to `revision`: old values and removed keys.
  virtual io::Task<Result<void>> compact(Revision revision) = 0;
};

// Opens or creates `path` (mode 0600). DataLoss with what to do when the file is damaged.
Result<std::unique_ptr<Store>> open_sqlite_store(io::Loop& loop, const std::string& path);
// Nothing on disk: for simulations. Each write becomes durable in a later step of the loop.
std::unique_ptr<Store> make_memory_store(io::Loop& loop);

}  // namespace skiff::store
