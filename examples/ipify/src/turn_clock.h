// The time of a turn: read once, then the same for everything that happens in it. One per worker.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bounds.h"

namespace ipify {

class TurnClock {
 public:
  TurnClock() { read(); }

  // Starts a turn. Accurate to a few milliseconds, which all deadlines here can bear.
  void read();

  // Since an arbitrary point, never going back.
  Millis now() const { return now_; }
  // The header lines of every response, made anew when the second changes. Valid until the next read.
  std::string_view common_headers() const { return common_headers_; }

 private:
  Millis now_{0};
  std::int64_t second_ = -1;
  std::string common_headers_;
};

}  // namespace ipify
