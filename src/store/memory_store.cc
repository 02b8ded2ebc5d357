#include "base/check.h"
#include "store/log_store.h"

namespace skiff::store {

namespace {

class NullBackend final : public Backend {
 public:
  Result<Loaded> load() override { return Loaded{}; }
  Result<void> append(const std::vector<Record>&) override { return {}; }
  Result<void> mark_compacted(Revision) override { return {}; }
  Result<void> erase(const std::vector<Revision>&) override { return {}; }
  Result<void> shrink() override { return {}; }
};

}  // namespace

std::unique_ptr<Store> make_memory_store(io::Loop& loop) {
  auto store = make_log_store(loop, std::make_unique<NullBackend>(), CommitMode::kInline);
  SKIFF_CHECK(store.has_value());
  return std::move(*store);
}

}  // namespace skiff::store
