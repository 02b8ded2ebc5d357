// Sockets that the edge listens on.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "io/stream.h"

namespace skiff::edge {

// A listening, non-blocking socket, owned by the caller. Several may listen on one port (SO_REUSEPORT): the
// kernel spreads connections over them. An empty host is every address of both families; otherwise an IP
// address.
Result<int> listen_on(const io::Address& address, uint16_t port);
uint16_t port_of(int fd);
// As many open files as the system allows this process.
void raise_descriptor_limit();

}  // namespace skiff::edge
