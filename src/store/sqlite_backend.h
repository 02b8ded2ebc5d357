// The backend on SQLite: one table of versions, appended by revision; WAL, synced at every commit.
//
// SQLite keeps the file; memory is the index, so the table needs none but the revision. Each row carries a
// checksum, because SQLite does not notice a flipped bit inside a value. One thread at a time.
#pragma once

#include "store/backend.h"

namespace skiff::store {

struct SqliteOptions {
  const char* vfs = nullptr;  // the file system; null is the real one
  int64_t max_pages = 0;      // of 4 KiB; 0: as large as the disk
};

// Creates the file with mode 0600 when it is missing (on the real file system). DataLoss when it is damaged
// or not ours; Unimplemented when a newer Skiff wrote it; Unavailable when another process has it.
Result<std::unique_ptr<Backend>> open_sqlite_backend(const std::string& path,
                                                     const SqliteOptions& options = {});

}  // namespace skiff::store
