#include "store/log_store.h"

#include <fmt/core.h>

#include "store/core.h"
#include "store/watch.h"

namespace skiff::store {

namespace {

class LogStore final : public Store {
 public:
  explicit LogStore(std::shared_ptr<Core> core) : core_(std::move(core)) {}
  ~LogStore() override { core_->close(); }

  io::Task<Result<Entry>> write(Write write) override { return Core::write(core_, std::move(write)); }
  io::Task<Result<void>> compact(Revision revision) override { return Core::compact(core_, revision); }

  std::optional<Entry> get(const std::string& key) const override {
    const auto* version = state().newest(key);
    if (!version || version->removed) return std::nullopt;
    return Entry{key, version->value, version->modified, version->created};
  }

  Result<Page> list(const ListOptions& options) const override { return state().list(options); }

  Result<std::unique_ptr<Watch>> watch(std::string prefix, Revision after) override {
    if (after < state().compacted()) {
      return fail(Code::kExpired,
                  fmt::format("revision {} is compacted; the oldest to watch from is {}: list again "
                              "and watch from that list's revision",
                              number(after), number(state().compacted())));
    }
    return std::make_unique<WatchImpl>(core_, std::move(prefix), after);
  }

  Revision current() const override { return state().current(); }
  Revision compacted() const override { return state().compacted(); }

 private:
  const State& state() const { return core_->state(); }
  std::shared_ptr<Core> core_;
};

}  // namespace

Result<std::unique_ptr<Store>> make_log_store(io::Loop& loop, std::unique_ptr<Backend> backend,
                                              CommitMode mode) {
  auto loaded = backend->load();
  if (!loaded) return std::unexpected(std::move(loaded).error());
  State state;
  for (const Record& record : loaded->records) {
    if (record.modified <= state.current()) {
      return fail(Code::kDataLoss,
                  fmt::format("revision {} is stored out of order: restore the file from a backup",
                              number(record.modified)));
    }
    state.apply(record);
  }
  auto garbage = state.compact(loaded->compacted);
  auto core = std::make_shared<Core>(loop, std::move(state));
  // Left by a crash in the middle of a compaction; goes with the next one.
  core->add_garbage(garbage);
  core->start(mode == CommitMode::kThread ? make_thread_committer(loop, std::move(backend))
                                          : make_inline_committer(loop, std::move(backend)));
  return std::make_unique<LogStore>(std::move(core));
}

}  // namespace skiff::store
