// A file system for SQLite, in memory, that forgets what was not synced: at a crash each unsynced write is
// kept, lost, or kept up to some 512-byte sector, as the seed says; deletions and truncations in order with
// them.
//
// Registered with SQLite under name() while it lives; outlives every database on it. Only for databases with
// an exclusive lock (no shared memory). One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

struct sqlite3_vfs;

namespace skiff::store {

class SimVfs {
 public:
  explicit SimVfs(uint64_t seed);
  ~SimVfs();
  SimVfs(const SimVfs&) = delete;

  const char* name() const;
  // The operation number `operation` from now that changes the disk (0 is the next), and all after it, fails.
  void crash_at(size_t operation);
  // Writes fail as a full disk lets them fail, from the operation number `operation` from now until
  // make_room().
  void fill_at(size_t operation);
  void make_room();
  // A disk that lies: these syncs report success and do nothing. A test that does not notice is worth
  // nothing.
  enum class Lie { kNone, kAllSyncs, kLogSyncs, kFileSyncs };
  void set_lie(Lie lie);
  // Decides over what was not synced, and runs again. No file may be open.
  void restart();
  bool crashed() const;
  size_t operations() const;

  struct State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace skiff::store
