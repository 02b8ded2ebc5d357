// Who asks the Platform API, and what is refused before the token is looked at: guesses that come too fast,
// and browsers that another site sends.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/time.h"
#include "net/http.h"

namespace skiff::platform {

struct Visitor {
  bool by_edge = false;  // else a process of this machine came to the loopback port directly
  std::string source;    // an IPv4 address, the first 64 bits of an IPv6 one, or "loopback"
};
// The edge says whose request it passes on, with its token; from anybody else that is not believed.
Visitor visitor_of(const net::Request& request, const std::string& edge_token);

// False when a browser says that the request was caused by a page of another origin: it would send
// credentials that it remembers along. Programs say nothing of that kind.
bool is_same_origin(const net::Request& request);

// Slows down who guesses, by source, and nobody else. A source may fail `burst` times at once and once each
// `step` from then on; what comes faster waits, or is refused unread. The right token costs nothing.
class Attempts {
 public:
  struct Pace {
    Duration step;
    int burst;
  };
  static constexpr Pace kFarPace{std::chrono::seconds(2), 10};
  // All programs of the machine and its operator are one source.
  static constexpr Pace kLoopbackPace{std::chrono::milliseconds(100), 100};
  static constexpr Duration kLongestWait = std::chrono::seconds(5);
  static constexpr size_t kMaxSources = 4096;  // the one that has guessed least is forgotten above

  // Counts an attempt of the source: how long it has to wait, or nothing when that is too long.
  std::optional<Duration> begin(const std::string& source, MonotonicTime now);
  // It was the right token.
  void forgive(const std::string& source, MonotonicTime now);
  size_t sources() const { return due_.size(); }

 private:
  static Pace pace_of(const std::string& source);
  void make_room(MonotonicTime now);
  std::map<std::string, MonotonicTime> due_;  // by source: when all that it has tried is paid for
};

}  // namespace skiff::platform
