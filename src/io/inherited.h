// Listening sockets that outlive the process which serves them.
//
// A supervisor opens them, and each run of a process inherits the same ones: while none runs, and while the
// next one starts, clients wait in the sockets' queues instead of being refused. Only connections that the
// dead process had accepted are cut. That holds for each socket of a group (SO_REUSEPORT) because the very
// sockets stay open: a group that loses one would lose what waits in its queue.
//
//   open_listening_socket(address)            // in the supervisor, with keep_fds of ProcessOptions
//   sockets.add("5:127.0.0.1:6444")           // in the child: descriptor and address
//   make_inheriting_network(loop, sockets)->listen(address)   // takes that socket, or opens a new one
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/file.h"
#include "io/stream.h"

namespace skiff::io {

// A non-blocking socket that listens. A unix socket's file is replaced and made mode 0600.
Result<UniqueFd> open_listening_socket(const Address& address);
// Serves a socket that listens already at `address`.
Result<std::unique_ptr<Listener>> adopt_listener(Loop& loop, UniqueFd fd, const Address& address);

// What this process was started with; each socket is taken once.
class InheritedSockets {
 public:
  // "FD:ADDRESS". The descriptor is this object's from then on, and no child's. InvalidArgument when it is no
  // listening socket.
  Result<void> add(std::string_view text);
  // All of that address in the order of add(); empty when there is none.
  std::vector<UniqueFd> take(const Address& address);
  bool empty() const { return sockets_.empty(); }

 private:
  struct Socket {
    UniqueFd fd;
    std::string address;
  };
  std::vector<Socket> sockets_;
};

// As make_socket_network(), but listen() takes an inherited socket where there is one of that address.
// `sockets` outlives it.
std::unique_ptr<Network> make_inheriting_network(Loop& loop, InheritedSockets& sockets);

}  // namespace skiff::io
