#include "store/log_store.h"
#include "store/sqlite_backend.h"

namespace skiff::store {

Result<std::unique_ptr<Store>> open_sqlite_store(io::Loop& loop, const std::string& path) {
  auto backend = open_sqlite_backend(path);
  if (!backend) return wrap(std::move(backend).error(), "open the store");
  auto store = make_log_store(loop, std::move(*backend), CommitMode::kThread);
  if (!store) return wrap(std::move(store).error(), "open the store");
  return store;
}

}  // namespace skiff::store
