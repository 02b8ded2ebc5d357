// Where the store's writes become durable: a log of records, blocking.
//
// Invariant: append() is all or nothing, also across a crash: after a restart load() gives every batch that
// was reported durable, and of the batch under way either everything or nothing. Used by one thread at a
// time.
#pragma once

#include <vector>

#include "store/store.h"

namespace skiff::store {

// One write as it is kept.
struct Record {
  std::string key;
  Bytes value;
  Revision modified{};
  Revision created{};
  bool removed = false;
};

struct Loaded {
  std::vector<Record> records;  // by revision, rising
  Revision compacted{};
};

class Backend {
 public:
  virtual ~Backend() = default;
  // Everything kept; once, at the start. DataLoss when it is damaged.
  virtual Result<Loaded> load() = 0;
  // Durable when it returns. On an error nothing of the batch is kept; ResourceExhausted when the disk is
  // full.
  virtual Result<void> append(const std::vector<Record>& batch) = 0;
  // Notes, durably, that history up to `revision` is gone; never moves backwards.
  virtual Result<void> mark_compacted(Revision revision) = 0;
  // Drops these records. Callers give superseded ones in rising order: a removal must never go before the
  // values it removed, or a crash in between would bring the key back.
  virtual Result<void> erase(const std::vector<Revision>& revisions) = 0;
  // Gives a bounded amount of freed space back to the file system.
  virtual Result<void> shrink() = 0;
};

}  // namespace skiff::store
