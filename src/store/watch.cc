#include "store/watch.h"

#include <algorithm>

namespace skiff::store {

WatchImpl::WatchImpl(std::shared_ptr<Core> core, std::string prefix, Revision after)
    : core_(std::move(core)),
      prefix_(std::move(prefix)),
      place_(core_->state().place_after(after)),
      seen_(after),
      changed_(core_->loop()) {
  number_ = core_->attach(this);
}

WatchImpl::~WatchImpl() {
  core_->detach(number_);
}

void WatchImpl::skip() const {
  const State& state = core_->state();
  // A watch that waits for revisions still to come passes them too.
  while (place_ < state.history_end()) {
    const Entry& entry = state.event(place_).entry;
    if (entry.modified > seen_ && entry.key.starts_with(prefix_)) return;
    ++place_;
    seen_ = std::max(seen_, entry.modified);
  }
  seen_ = std::max(seen_, state.current());
}

std::optional<Event> WatchImpl::try_next() {
  if (ended()) return std::nullopt;
  skip();
  const State& state = core_->state();
  if (place_ >= state.history_end()) return std::nullopt;
  Event event = state.event(place_++);
  seen_ = event.entry.modified;
  return event;
}

io::Task<std::optional<Event>> WatchImpl::next() {
  for (;;) {
    auto event = try_next();
    if (event || ended()) co_return event;
    changed_.reset();
    co_await changed_.wait();
  }
}

Revision WatchImpl::seen() const {
  if (!ended()) skip();
  return seen_;
}

void WatchImpl::on_event(uint64_t place) {
  if (place_ == place) skip();
  if (place_ < core_->state().history_end()) changed_.set();
}

void WatchImpl::before_compaction(Revision revision) {
  if (ended()) return;
  skip();
  const State& state = core_->state();
  if (place_ >= state.history_end() || state.event(place_).entry.modified > revision) return;
  fell_behind_ = true;
  changed_.set();
}

void WatchImpl::on_close() {
  changed_.set();
}

}  // namespace skiff::store
