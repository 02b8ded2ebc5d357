// A backend that breaks one promise of Backend, for proving that the crash tests notice. Each fault is a
// mistake that a real backend could make.
#pragma once

#include <algorithm>

#include "store/backend.h"

namespace skiff::store {

enum class Fault {
  kNone,
  kAcksEarly,      // a batch is reported durable when it is only in memory
  kSplitsBatches,  // a batch is two writes: a crash in between keeps half of it
  kReorders,       // of a batch, the later half is written first
  kForgetsMark,    // compaction is not noted on disk
  kErasesNewest,   // superseded records go one by one, the removal before what it removed
};

class FaultyBackend final : public Backend {
 public:
  FaultyBackend(std::unique_ptr<Backend> inner, Fault fault) : inner_(std::move(inner)), fault_(fault) {}

  Result<Loaded> load() override { return inner_->load(); }
  Result<void> shrink() override { return inner_->shrink(); }

  Result<void> append(const std::vector<Record>& batch) override {
    if (fault_ == Fault::kAcksEarly) return append_later(batch);
    const bool halves = fault_ == Fault::kSplitsBatches || fault_ == Fault::kReorders;
    if (!halves || batch.size() < 2) return inner_->append(batch);
    const auto middle = batch.begin() + static_cast<ptrdiff_t>(batch.size() / 2);
    std::vector<Record> first(batch.begin(), middle), second(middle, batch.end());
    if (fault_ == Fault::kReorders) std::swap(first, second);
    SKIFF_RETURN_IF_ERROR(inner_->append(first));
    return inner_->append(second);
  }
  Result<void> mark_compacted(Revision revision) override {
    if (fault_ == Fault::kForgetsMark) return {};
    return inner_->mark_compacted(revision);
  }
  Result<void> erase(const std::vector<Revision>& revisions) override {
    if (fault_ != Fault::kErasesNewest) return inner_->erase(revisions);
    for (auto it = revisions.rbegin(); it != revisions.rend(); ++it) {
      SKIFF_RETURN_IF_ERROR(inner_->erase({*it}));
    }
    return {};
  }

 private:
  Result<void> append_later(const std::vector<Record>& batch) {
    auto due = std::exchange(held_, batch);
    return due.empty() ? Result<void>() : inner_->append(due);
  }

  std::unique_ptr<Backend> inner_;
  Fault fault_;
  std::vector<Record> held_;
};

// Notes the last revision of every batch, so that a test can tell whole batches from parts.
class BatchSpy final : public Backend {
 public:
  BatchSpy(std::unique_ptr<Backend> inner, std::vector<Revision>& ends)
      : inner_(std::move(inner)), ends_(ends) {}
  Result<Loaded> load() override { return inner_->load(); }
  Result<void> append(const std::vector<Record>& batch) override {
    ends_.push_back(batch.back().modified);
    return inner_->append(batch);
  }
  Result<void> mark_compacted(Revision revision) override { return inner_->mark_compacted(revision); }
  Result<void> erase(const std::vector<Revision>& revisions) override { return inner_->erase(revisions); }
  Result<void> shrink() override { return inner_->shrink(); }

 private:
  std::unique_ptr<Backend> inner_;
  std::vector<Revision>& ends_;
};

}  // namespace skiff::store
