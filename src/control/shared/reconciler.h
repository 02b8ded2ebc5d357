// A queue of keys and the loop that syncs them: each key at most once at a time, never lost, failures backed
// off.
//
// A key added while it is being synced is synced once more afterwards. Nothing runs before open(): the caches
// must be complete first. All on the loop's thread.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "io/scope.h"

namespace skiff::control {

// When to sync the key again by itself, or nothing.
using SyncResult = Result<std::optional<Duration>>;

struct ReconcilerCounters {
  uint64_t syncs = 0, failures = 0;
};

// How long a key of `objects` objects rests: nothing when there are few, so that small things stay prompt.
Duration rest_for(size_t objects, Duration each);

class Reconciler {
 public:
  using Sync = std::function<io::Task<SyncResult>(std::string key)>;
  Reconciler(io::Loop& loop, std::string name, Sync sync);
  ~Reconciler();

  void add(const std::string& key);
  // The earlier of this and a pending delay counts.
  void add_after(const std::string& key, Duration delay);
  // From inside a sync: the key is not synced again before this time has passed; all that comes meanwhile
  // becomes one sync at its end. For keys whose sync costs more the larger they are.
  void rest(const std::string& key, Duration duration);
  void open();
  const ReconcilerCounters& counters() const { return counters_; }
  bool idle() const { return waiting_.empty() && running_.empty(); }

 private:
  struct Delay {
    io::TimerId timer;
    MonotonicTime at;
  };
  struct Rest {
    io::TimerId timer;
    bool wanted = false;  // the key was added meanwhile
  };
  void pump();
  static io::Task<void> run(Reconciler* self, std::string key);
  void finish(const std::string& key, const SyncResult& result);

  io::Loop& loop_;
  std::string name_;
  Sync sync_;
  bool open_ = false;
  std::deque<std::string> order_;
  std::set<std::string> waiting_, running_;
  std::map<std::string, Delay> delayed_;
  std::map<std::string, Rest> resting_;
  std::map<std::string, int> failures_;
  ReconcilerCounters counters_;
  io::TaskScope scope_;
};

}  // namespace skiff::control
