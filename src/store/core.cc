#include "store/core.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "store/watch.h"

namespace skiff::store {

namespace {

// A commit holds at most this much, so that one full of large objects does not delay small ones for long.
constexpr size_t kMaxBatchRecords = 1024;
constexpr size_t kMaxBatchBytes = 8 << 20;
// One value; larger ones would hold up everybody else's commit.
constexpr size_t kMaxValueBytes = 16 << 20;
// The history in memory; half of it is forgotten beyond either, also when nobody asks for compaction.
constexpr uint64_t kMaxHistoryEvents = 200'000;
constexpr size_t kMaxHistoryBytes = 64 << 20;
// Rows erased in one commit: writes wait behind it for a moment only.
constexpr size_t kEraseRows = 256;

Error closed_error() {
  return {Code::kUnavailable, "the store is closed; try again when it is back", nullptr};
}

}  // namespace

template <typename Call>
void Core::for_each_watch(Call call) {
  for (auto& [prefix, watches] : watches_) {
    for (auto& [number, watch] : watches) call(*watch);
  }
}

Core::Admission Core::admit(const Write& write) {
  if (closed_) return {std::unexpected(closed_error()), nullptr};
  const auto pending = pending_.find(write.key);
  const bool waits = pending != pending_.end();
  const auto* stored = waits ? nullptr : state_.newest(write.key);
  const bool exists = waits ? !pending->second.removed : stored && !stored->removed;
  const Revision modified = waits ? pending->second.modified : stored ? stored->modified : Revision{};
  const Revision created = waits ? pending->second.created : stored ? stored->created : Revision{};
  const auto refuse = [&](Code code, std::string message) -> Admission {
    return {fail(code, std::move(message)), waits ? pending->second.batch : nullptr};
  };

  if (write.expect.kind == Expect::Kind::kAbsent && exists) {
    return refuse(Code::kAlreadyExists, fmt::format("{} exists already", write.key));
  }
  const bool needs = write.remove || write.expect.kind == Expect::Kind::kRevision;
  if (needs && write.expect.kind != Expect::Kind::kAbsent && !exists) {
    return refuse(Code::kNotFound, fmt::format("{} does not exist", write.key));
  }
  if (write.expect.kind == Expect::Kind::kRevision && modified != write.expect.revision) {
    return refuse(Code::kConflict, fmt::format("{} is at revision {}, not {}: read it again", write.key,
                                               number(modified), number(write.expect.revision)));
  }

  const Revision revision{number(last_) + 1};
  auto value = std::make_shared<const std::string>(write.encode ? write.encode(revision) : std::string());
  if (value->size() > kMaxValueBytes) {
    return {
        fail(Code::kInvalidArgument, fmt::format("{} has {} bytes; at most {} are stored: make it smaller",
                                                 write.key, value->size(), kMaxValueBytes)),
        nullptr};
  }
  last_ = revision;
  Entry entry{write.key, std::move(value), revision, exists ? created : revision};
  auto batch = open_batch();
  batch->bytes += entry.value->size();
  batch->records.push_back({entry.key, entry.value, entry.modified, entry.created, write.remove});
  pending_.insert_or_assign(write.key, Pending{entry.modified, entry.created, write.remove, batch});
  return {std::move(entry), std::move(batch)};
}

io::Task<Result<Entry>> Core::write(std::shared_ptr<Core> core, Write write) {
  auto admission = core->admit(write);
  core.reset();
  if (admission.batch) {
    co_await admission.batch->done.wait();
    if (admission.batch->error) co_return std::unexpected(*admission.batch->error);
  }
  co_return std::move(admission.result);
}

std::shared_ptr<Core::Batch> Core::open_batch() {
  if (waiting_.empty() || waiting_.back()->records.size() >= kMaxBatchRecords ||
      waiting_.back()->bytes >= kMaxBatchBytes) {
    waiting_.push_back(std::make_shared<Batch>(loop_));
  }
  // A later step, so that the writes of this turn share one commit.
  if (!pump_posted_ && !in_flight_) {
    pump_posted_ = true;
    loop_.post([weak = weak_from_this()] {
      if (auto core = weak.lock()) {
        core->pump_posted_ = false;
        core->pump();
      }
    });
  }
  return waiting_.back();
}

void Core::pump() {
  if (closed_ || in_flight_ || waiting_.empty()) return;
  in_flight_ = waiting_.front();
  waiting_.pop_front();
  committer_->run([batch = in_flight_](Backend& backend) { return backend.append(batch->records); },
                  [weak = weak_from_this(), batch = in_flight_](Result<void> result) {
                    if (auto core = weak.lock()) core->on_committed(batch, std::move(result));
                  });
}

void Core::on_committed(const std::shared_ptr<Batch>& batch, Result<void> result) {
  if (closed_) return;
  if (!result) {
    // Once, not for each of the many writes that a full disk refuses.
    if (!std::exchange(failing_, true)) log_error("store commit failed", {{"error", result.error().message}});
    fail_all(result.error());
    return;
  }
  if (std::exchange(failing_, false)) log_info("store commits again");
  in_flight_.reset();
  publish(*batch);
  batch->done.set();
  forget_if_large();
  pump();
}

void Core::publish(const Batch& batch) {
  for (const Record& record : batch.records) {
    const auto pending = pending_.find(record.key);
    if (pending != pending_.end() && pending->second.modified == record.modified) pending_.erase(pending);
    const uint64_t place = state_.history_end();
    state_.apply(record);
    wake_watches(record.key, place);
  }
}

uint64_t Core::attach(WatchImpl* watch, const std::string& prefix) {
  watches_[prefix].emplace(++last_watch_, watch);
  return last_watch_;
}

void Core::detach(uint64_t number, const std::string& prefix) {
  const auto found = watches_.find(prefix);
  found->second.erase(number);
  if (found->second.empty()) watches_.erase(found);
}

void Core::wake_watches(const std::string& key, uint64_t place) {
  // Prefixes of the key from the longest to the shortest: each lookup finds one, or how much of the key the
  // next can still share.
  for (size_t length = key.size();;) {
    auto found = watches_.upper_bound(std::string_view(key).substr(0, length));
    if (found == watches_.begin()) return;
    const std::string& prefix = (--found)->first;
    const auto shared = static_cast<size_t>(std::ranges::mismatch(prefix, key).in1 - prefix.begin());
    if (shared == prefix.size()) {
      for (auto& [number, watch] : found->second) watch->on_event(place);
      if (shared == 0) return;
      length = shared - 1;
    } else {
      length = shared;
    }
  }
}

void Core::fail_all(const Error& error) {
  auto failed = std::exchange(waiting_, {});
  if (in_flight_) failed.push_front(std::exchange(in_flight_, nullptr));
  pending_.clear();
  for (const auto& batch : failed) {
    batch->error = error;
    batch->done.set();
  }
}

void Core::close() {
  closed_ = true;
  scope_.cancel();
  fail_all(closed_error());
  for_each_watch([](WatchImpl& watch) { watch.on_close(); });
  committer_.reset();
}

io::Task<Result<void>> Core::run(std::shared_ptr<Core> core, Committer::Work work) {
  struct Outcome {
    explicit Outcome(io::Loop& loop) : done(loop) {}
    io::Event done;
    Result<void> result;
  };
  if (core->closed_) co_return std::unexpected(closed_error());
  auto outcome = std::make_shared<Outcome>(core->loop_);
  core->committer_->run(std::move(work), [outcome](Result<void> result) {
    outcome->result = std::move(result);
    outcome->done.set();
  });
  core.reset();
  co_await outcome->done.wait();
  co_return std::move(outcome->result);
}

io::Task<Result<void>> Core::compact(std::shared_ptr<Core> core, Revision revision) {
  if (revision > core->state_.current()) {
    co_return fail(Code::kInvalidArgument, fmt::format("revision {} is not written yet; the newest is {}",
                                                       number(revision), number(core->state_.current())));
  }
  if (revision > core->state_.compacted()) {
    auto marked =
        co_await run(core, [revision](Backend& backend) { return backend.mark_compacted(revision); });
    SKIFF_CO_RETURN_IF_ERROR(marked);
    core->for_each_watch([revision](WatchImpl& watch) { watch.before_compaction(revision); });
    core->add_garbage(core->state_.compact(revision));
  }
  auto cleaned = co_await clean(core);
  co_return cleaned;
}

void Core::add_garbage(const std::vector<Revision>& revisions) {
  garbage_.insert(garbage_.end(), revisions.begin(), revisions.end());
}

io::Task<Result<void>> Core::clean(std::shared_ptr<Core> core) {
  while (!core->garbage_.empty()) {
    auto& garbage = core->garbage_;
    const auto end = garbage.begin() + static_cast<ptrdiff_t>(std::min(garbage.size(), kEraseRows));
    std::vector<Revision> rows(garbage.begin(), end);
    garbage.erase(garbage.begin(), end);
    auto erased = co_await run(core, [rows](Backend& backend) { return backend.erase(rows); });
    if (!erased) {
      // Kept for the next compaction, in front: the order matters.
      core->garbage_.insert(core->garbage_.begin(), rows.begin(), rows.end());
      co_return erased;
    }
    auto shrunk = co_await run(core, [](Backend& backend) { return backend.shrink(); });
    SKIFF_CO_RETURN_IF_ERROR(shrunk);
  }
  co_return Result<void>();
}

void Core::forget_if_large() {
  const uint64_t events = state_.history_end() - state_.history_begin();
  if (forgetting_ || (events <= kMaxHistoryEvents && state_.history_bytes() <= kMaxHistoryBytes)) return;
  forgetting_ = true;
  scope_.spawn(forget(this, state_.event(state_.history_begin() + events / 2).entry.modified));
}

io::Task<void> Core::forget(Core* core, Revision revision) {
  auto self = core->shared_from_this();
  auto compacted = co_await compact(self, revision);
  if (!compacted) log_warn("store compaction failed", {{"error", compacted.error().message}});
  core->forgetting_ = false;
}

}  // namespace skiff::store
