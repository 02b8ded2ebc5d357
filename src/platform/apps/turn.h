// One task at a time for each key: its number and its secret belong together, and so do the writes of one
// rollout.
#pragma once

#include <set>
#include <string>

#include "io/sync.h"

namespace skiff::platform {

constexpr Duration kTurnPause = std::chrono::milliseconds(5);

// Ends the turn of a key.
class Turn {
 public:
  Turn(std::set<std::string>& busy, std::string key) : busy_(busy), key_(std::move(key)) {
    busy_.insert(key_);
  }
  ~Turn() { busy_.erase(key_); }
  Turn(const Turn&) = delete;

 private:
  std::set<std::string>& busy_;
  std::string key_;
};

// Returns when nobody has the key's turn: take it before the next await. `busy` outlives the task.
inline io::Task<void> wait_for_turn(io::Loop& loop, const std::set<std::string>& busy, std::string key) {
  while (busy.contains(key)) co_await io::sleep(loop, kTurnPause);
}

}  // namespace skiff::platform
