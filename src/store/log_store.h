// A Store over any backend: the state in memory, the backend for durability.
#pragma once

#include "store/backend.h"

namespace skiff::store {

// Where commits run.
enum class CommitMode { kThread, kInline };

// Loads everything that `backend` has, blocking.
Result<std::unique_ptr<Store>> make_log_store(io::Loop& loop, std::unique_ptr<Backend> backend,
                                              CommitMode mode);

}  // namespace skiff::store
