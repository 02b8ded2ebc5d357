#include "store/watch.h"

#include <algorithm>

namespace skiff::store {

WatchImpl::WatchImpl(std::shared_ptr<Core> core, std::string prefix, Revision after)
    : core_(std::move(core)),
      prefix_(std::move(prefix)),
      place_(core_->state().place_after(after)),
      after_(after),
      given_(after),
      changed_(core_->loop()) {
  number_ = core_->attach(this, prefix_);
  skip();
}

WatchImpl::~WatchImpl() {
  core_->detach(number_, prefix_);
}

void WatchImpl::skip() {
  const State& state = core_->state();
  while (place_ < state.history_end() && !state.event(place_).entry.key.starts_with(prefix_)) ++place_;
  waiting_ = place_ < state.history_end();
}

std::optional<Event> WatchImpl::try_next() {
  if (ended() || !waiting_) return std::nullopt;
  Event event = core_->state().event(place_++);
  given_ = event.entry.modified;
  skip();
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
  if (ended()) return given_;
  const State& state = core_->state();
  // Nothing between the last event given out and the next one concerns this watch.
  return waiting_ ? Revision{number(state.event(place_).entry.modified) - 1}
                  : std::max(given_, state.current());
}

void WatchImpl::on_event(uint64_t place) {
  // A watch that waits for revisions still to come passes those before them.
  if (waiting_ || core_->state().event(place).entry.modified <= after_) return;
  place_ = place;
  waiting_ = true;
  changed_.set();
}

void WatchImpl::before_compaction(Revision revision) {
  if (ended() || !waiting_ || core_->state().event(place_).entry.modified > revision) return;
  fell_behind_ = true;
  changed_.set();
}

void WatchImpl::on_close() {
  changed_.set();
}

}  // namespace skiff::store
