// Signals as events of the loop.
#pragma once

#include <memory>

#include "io/loop.h"

namespace skiff {

// Blocks SIGTERM, SIGINT and SIGHUP in this thread and calls back at each SIGTERM or SIGINT. Call before
// other threads start. SIGPIPE is ignored.
class SignalWatch {
 public:
  virtual ~SignalWatch() = default;
};
Result<std::unique_ptr<SignalWatch>> watch_signals(io::Loop& loop, io::Callback on_stop);

}  // namespace skiff
