// Listening sockets: one per worker, all on the same port, so the kernel spreads connections and no lock is
// shared.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "connection.h"

namespace ipify {

struct Listeners {
  std::vector<UniqueFd> sockets;
  std::string where;  // for people: "[::]:5000"
  std::uint16_t port = 0;
};

// Opens `count` sockets on [::]:port for both families, or on 0.0.0.0 where the host has no IPv6. Port 0
// takes a free one. The error says what to do; in particular, a port that another program listens on is
// refused.
std::expected<Listeners, std::string> open_listeners(std::uint16_t port, unsigned count);

}  // namespace ipify
