// The durable state in memory: for every key its versions since the last compaction, and the history of all
// keys.
//
// Invariant: it holds what is on disk, nothing that waits for the disk. An event has a place, a number that
// rises by one and stays the same when older events are dropped. One thread.
#pragma once

#include <deque>
#include <map>

#include "store/backend.h"

namespace skiff::store {

class State {
 public:
  struct Version {
    Revision modified{};
    Revision created{};
    Bytes value;
    bool removed = false;
  };

  // The next write; its revision is above current().
  void apply(const Record& record);
  // Forgets history up to `revision`; gives the revisions of the versions nobody can reach any more, rising.
  std::vector<Revision> compact(Revision revision);

  // The newest version, which may be a removal; null when the key was never there.
  const Version* newest(const std::string& key) const;
  Result<Page> list(const ListOptions& options) const;
  Revision current() const { return current_; }
  Revision compacted() const { return compacted_; }

  uint64_t history_begin() const { return history_begin_; }
  uint64_t history_end() const { return history_begin_ + history_.size(); }
  // `place` in [history_begin, history_end).
  const Event& event(uint64_t place) const { return history_[place - history_begin_]; }
  // The place of the first event after `revision`; history_end() when there is none.
  uint64_t place_after(Revision revision) const;
  // Bytes of values that the history holds, roughly.
  size_t history_bytes() const { return history_bytes_; }

 private:
  using Chain = std::vector<Version>;  // by revision, rising
  void compact_key(const std::string& key, Revision revision, std::vector<Revision>& dropped);

  std::map<std::string, Chain> keys_;
  std::deque<Event> history_;
  uint64_t history_begin_ = 0;
  size_t history_bytes_ = 0;
  Revision current_{};
  Revision compacted_{};
};

}  // namespace skiff::store
