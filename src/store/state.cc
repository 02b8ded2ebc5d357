#include "store/state.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/check.h"

namespace skiff::store {

namespace {

// The version that `at` shows; null when the key is not there at that revision.
const State::Version* visible(const std::vector<State::Version>& chain, Revision at) {
  auto after = std::upper_bound(chain.begin(), chain.end(), at,
                                [](Revision r, const State::Version& v) { return r < v.modified; });
  if (after == chain.begin()) return nullptr;
  const auto& version = *std::prev(after);
  return version.removed ? nullptr : &version;
}

size_t cost(const Event& event) {
  return event.entry.key.size() + (event.entry.value ? event.entry.value->size() : 0);
}

}  // namespace

void State::apply(const Record& record) {
  SKIFF_CHECK(record.modified > current_);
  auto& chain = keys_[record.key];
  Event event;
  event.kind = record.removed ? Event::Kind::kRemove : Event::Kind::kPut;
  event.entry = {record.key, record.value, record.modified, record.created};
  if (!chain.empty() && !chain.back().removed) event.previous = chain.back().value;
  chain.push_back({record.modified, record.created, record.value, record.removed});
  history_bytes_ += cost(event);
  history_.push_back(std::move(event));
  current_ = record.modified;
}

std::vector<Revision> State::compact(Revision revision) {
  std::vector<Revision> dropped;
  if (revision <= compacted_) return dropped;
  // Only keys written in the forgotten stretch can have versions to drop.
  while (!history_.empty() && history_.front().entry.modified <= revision) {
    compact_key(history_.front().entry.key, revision, dropped);
    history_bytes_ -= cost(history_.front());
    history_.pop_front();
    ++history_begin_;
  }
  compacted_ = revision;
  current_ = std::max(current_, revision);
  std::sort(dropped.begin(), dropped.end());
  return dropped;
}

void State::compact_key(const std::string& key, Revision revision, std::vector<Revision>& dropped) {
  const auto found = keys_.find(key);
  if (found == keys_.end()) return;
  auto& chain = found->second;
  auto keep = std::upper_bound(chain.begin(), chain.end(), revision,
                               [](Revision r, const Version& v) { return r < v.modified; });
  if (keep == chain.begin()) return;
  if (!std::prev(keep)->removed) --keep;
  for (auto it = chain.begin(); it != keep; ++it) dropped.push_back(it->modified);
  chain.erase(chain.begin(), keep);
  if (chain.empty()) keys_.erase(found);
}

const State::Version* State::newest(const std::string& key) const {
  const auto found = keys_.find(key);
  return found == keys_.end() ? nullptr : &found->second.back();
}

Result<Page> State::list(const ListOptions& options) const {
  const Revision at = options.at == Revision{} ? current_ : options.at;
  if (at < compacted_) {
    return fail(Code::kExpired,
                fmt::format("revision {} is compacted; the oldest that can be read is {}: list again "
                            "without a revision",
                            number(at), number(compacted_)));
  }
  if (at > current_) {
    return fail(Code::kUnavailable, fmt::format("revision {} is not written yet; the newest is {}",
                                                number(at), number(current_)));
  }
  Page page;
  page.revision = at;
  auto it = options.start_after >= options.prefix && !options.start_after.empty()
                ? keys_.upper_bound(options.start_after)
                : keys_.lower_bound(options.prefix);
  for (; it != keys_.end() && it->first.starts_with(options.prefix); ++it) {
    const Version* version = visible(it->second, at);
    if (!version) continue;
    if (options.limit != 0 && page.entries.size() >= options.limit) {
      page.more = true;
      if (++page.remaining > kMaxCounted) {
        page.remaining = 0;
        break;
      }
      continue;
    }
    page.entries.push_back({it->first, version->value, version->modified, version->created});
  }
  return page;
}

uint64_t State::place_after(Revision revision) const {
  const auto found = std::upper_bound(history_.begin(), history_.end(), revision,
                                      [](Revision r, const Event& e) { return r < e.entry.modified; });
  return history_begin_ + static_cast<uint64_t>(found - history_.begin());
}

}  // namespace skiff::store
