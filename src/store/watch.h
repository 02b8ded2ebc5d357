// A watch is a place in the shared history, not a queue of its own: events are kept once for all watches.
//
// Invariant: everything before place_ that concerns the prefix was given out. While waiting_ is set, the
// event at place_ is the next one to give out; else there is none, and the place does not matter: most writes
// concern a watch not at all and must cost it nothing. It falls behind when the history is dropped past an
// event it has not given out.
#pragma once

#include "store/core.h"

namespace skiff::store {

class WatchImpl final : public Watch {
 public:
  WatchImpl(std::shared_ptr<Core> core, std::string prefix, Revision after);
  ~WatchImpl() override;

  io::Task<std::optional<Event>> next() override;
  std::optional<Event> try_next() override;
  Revision seen() const override;

  // The event at `place` is new and has the prefix.
  void on_event(uint64_t place);
  // History up to `revision` goes now.
  void before_compaction(Revision revision);
  void on_close();

 private:
  // Passes what does not concern this watch.
  void skip();
  bool ended() const { return fell_behind_ || core_->closed(); }

  std::shared_ptr<Core> core_;
  const std::string prefix_;
  uint64_t number_ = 0;
  uint64_t place_;
  const Revision after_;
  Revision given_;  // the last event given out, or after_
  bool waiting_ = false;
  bool fell_behind_ = false;
  io::Event changed_;
};

}  // namespace skiff::store
