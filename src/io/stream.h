// Byte streams and listeners, and where they lead. Real ones are sockets; simulated ones join in memory.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "io/loop.h"
#include "io/task.h"

namespace skiff::io {

// One reader and one writer at a time. Dropping the stream closes it.
class Stream {
 public:
  virtual ~Stream() = default;
  // At least one byte, or 0 at the end of the stream.
  virtual Task<Result<size_t>> read(std::span<char> buffer) = 0;
  // All of `data`, which must live until the task ends.
  virtual Task<Result<void>> write(std::string_view data) = 0;
  // Ends the sending direction; the peer reads an end of stream.
  virtual void shutdown_write() = 0;
  // Both directions, at once. Pending operations end with an error.
  virtual void close() = 0;
  // "10.1.2.3:4567", a unix socket's (unix_peer.h) or a name; for logs and for X-Forwarded-For.
  virtual std::string peer() const = 0;
};

// Where to connect to or listen on.
struct Address {
  std::string host;  // an IP address, or a name to resolve; "" listens on every address
  uint16_t port = 0;
  std::string unix_path;  // set for a unix socket; host and port are unused then

  static Address tcp(std::string host, uint16_t port) { return {std::move(host), port, {}}; }
  static Address unix_socket(std::string path) { return {{}, 0, std::move(path)}; }
  // "host:port", "[v6]:port" or "unix:/path".
  static Result<Address> parse(std::string_view text);
  std::string to_string() const;
};

class Listener {
 public:
  virtual ~Listener() = default;
  virtual Task<Result<std::unique_ptr<Stream>>> accept() = 0;
  // The bound address: its port is the real one when 0 was asked for.
  virtual const Address& address() const = 0;
};

// How streams are made; injected, so that a simulation replaces the network.
class Network {
 public:
  virtual ~Network() = default;
  virtual Task<Result<std::unique_ptr<Stream>>> connect(Address address) = 0;
  virtual Result<std::unique_ptr<Listener>> listen(const Address& address) = 0;
};

// TCP and unix sockets on the loop's descriptors. A unix socket's file is replaced and made mode 0600.
std::unique_ptr<Network> make_socket_network(Loop& loop);

// Takes over a connected, non-blocking descriptor (socket or pipe).
Result<std::unique_ptr<Stream>> make_fd_stream(Loop& loop, int fd, std::string peer);

}  // namespace skiff::io
