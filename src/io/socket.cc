#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/strings.h"
#include "io/inherited.h"
#include "io/stream.h"
#include "io/sync.h"
#include "io/unix_peer.h"

namespace skiff::io {

namespace {

constexpr int kBacklog = 1024;

// A registered descriptor whose readiness tasks wait for.
class Descriptor final : public FdHandler {
 public:
  Descriptor(Loop& loop, int fd) : loop_(loop), fd_(fd), readable_(loop), writable_(loop) {}
  ~Descriptor() override { close(); }
  Result<void> open() { return loop_.watch(fd_, *this); }
  int fd() const { return fd_; }
  bool closed() const { return fd_ < 0; }
  void close() {
    if (fd_ < 0) return;
    loop_.unwatch(fd_);
    ::close(fd_);
    fd_ = -1;
    readable_.set();
    writable_.set();
  }
  // Gives the descriptor away, open and no longer registered.
  int release() {
    loop_.unwatch(fd_);
    return std::exchange(fd_, -1);
  }
  void on_readable() override { readable_.set(); }
  void on_writable() override { writable_.set(); }
  // Reset before the system call, so that an edge between the call and the wait is not lost.
  Event& readable() { return readable_; }
  Event& writable() { return writable_; }

 private:
  Loop& loop_;
  int fd_;
  Event readable_;
  Event writable_;
};

class FdStream final : public Stream {
 public:
  FdStream(Loop& loop, int fd, std::string peer) : descriptor_(loop, fd), peer_(std::move(peer)) {}
  Result<void> open() { return descriptor_.open(); }

  Task<Result<size_t>> read(std::span<char> buffer) override {
    for (;;) {
      if (descriptor_.closed()) co_return fail(Code::kCancelled, "the stream is closed");
      descriptor_.readable().reset();
      const ssize_t got = ::read(descriptor_.fd(), buffer.data(), buffer.size());
      if (got >= 0) co_return static_cast<size_t>(got);
      if (errno == EINTR) continue;
      if (errno != EAGAIN) co_return fail_errno(errno, "read from " + peer_);
      co_await descriptor_.readable().wait();
    }
  }

  Task<Result<void>> write(std::string_view data) override {
    while (!data.empty()) {
      if (descriptor_.closed()) co_return fail(Code::kCancelled, "the stream is closed");
      descriptor_.writable().reset();
      const ssize_t sent = is_socket_ ? ::send(descriptor_.fd(), data.data(), data.size(), MSG_NOSIGNAL)
                                      : ::write(descriptor_.fd(), data.data(), data.size());
      if (sent >= 0) {
        data.remove_prefix(static_cast<size_t>(sent));
      } else if (errno == ENOTSOCK && is_socket_) {
        is_socket_ = false;
      } else if (errno == EAGAIN) {
        co_await descriptor_.writable().wait();
      } else if (errno != EINTR) {
        co_return fail_errno(errno, "write to " + peer_);
      }
    }
    co_return Result<void>{};
  }

  void shutdown_write() override {
    if (!descriptor_.closed()) ::shutdown(descriptor_.fd(), SHUT_WR);
  }
  void close() override { descriptor_.close(); }
  std::string peer() const override { return peer_; }

 private:
  Descriptor descriptor_;
  std::string peer_;
  bool is_socket_ = true;
};

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
  int family() const { return storage.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

std::string describe(const sockaddr_storage& storage) {
  char host[INET6_ADDRSTRLEN] = {};
  if (storage.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
    inet_ntop(AF_INET, &v4.sin_addr, host, sizeof host);
    return fmt::format("{}:{}", host, ntohs(v4.sin_port));
  }
  if (storage.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
    inet_ntop(AF_INET6, &v6.sin6_addr, host, sizeof host);
    return fmt::format("[{}]:{}", host, ntohs(v6.sin6_port));
  }
  return "unix";
}

// Who connected; "unix" when the kernel does not say.
std::string describe_unix_peer(int fd) {
  ucred credentials{};
  socklen_t length = sizeof credentials;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return "unix";
  return encode_unix_peer({credentials.uid, credentials.pid});
}

Result<SocketAddress> unix_address(const std::string& path) {
  SocketAddress out;
  auto& un = reinterpret_cast<sockaddr_un&>(out.storage);
  if (path.size() >= sizeof un.sun_path) {
    return fail(Code::kInvalidArgument, "unix socket path is longer than 107 bytes: " + path);
  }
  un.sun_family = AF_UNIX;
  std::memcpy(un.sun_path, path.c_str(), path.size() + 1);
  out.length = sizeof un;
  return out;
}

// An IP address without a look-up; nothing for a name.
std::optional<SocketAddress> numeric_address(const std::string& host, uint16_t port) {
  SocketAddress out;
  auto& v4 = reinterpret_cast<sockaddr_in&>(out.storage);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(out.storage);
  if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    out.length = sizeof v4;
    return out;
  }
  if (host.empty() || inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    out.length = sizeof v6;
    return out;
  }
  return std::nullopt;
}

Result<SocketAddress> look_up(const std::string& host, uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (error != 0 || !found) {
    return fail(Code::kUnavailable, fmt::format("look up {}: {}", host, gai_strerror(error)));
  }
  SocketAddress out;
  std::memcpy(&out.storage, found->ai_addr, found->ai_addrlen);
  out.length = found->ai_addrlen;
  freeaddrinfo(found);
  if (out.family() == AF_INET) reinterpret_cast<sockaddr_in&>(out.storage).sin_port = htons(port);
  if (out.family() == AF_INET6) reinterpret_cast<sockaddr_in6&>(out.storage).sin6_port = htons(port);
  return out;
}

void set_no_delay(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

class SocketListener final : public Listener {
 public:
  SocketListener(Loop& loop, int fd, Address address)
      : loop_(loop), descriptor_(loop, fd), address_(std::move(address)) {}
  Result<void> open() { return descriptor_.open(); }

  Task<Result<std::unique_ptr<Stream>>> accept() override {
    for (;;) {
      descriptor_.readable().reset();
      sockaddr_storage peer{};
      socklen_t length = sizeof peer;
      const int fd = ::accept4(descriptor_.fd(), reinterpret_cast<sockaddr*>(&peer), &length,
                               SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) {
        if (peer.ss_family == AF_UNIX) co_return make_fd_stream(loop_, fd, describe_unix_peer(fd));
        set_no_delay(fd);
        co_return make_fd_stream(loop_, fd, describe(peer));
      }
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno != EAGAIN) co_return fail_errno(errno, "accept on " + address_.to_string());
      co_await descriptor_.readable().wait();
    }
  }
  const Address& address() const override { return address_; }

 private:
  Loop& loop_;
  Descriptor descriptor_;
  Address address_;
};

Result<SocketAddress> numeric_listen_address(const Address& address) {
  auto numeric = numeric_address(address.host, address.port);
  if (!numeric) {
    return fail(Code::kInvalidArgument,
                fmt::format("\"{}\" is not an IP address to listen on", address.host));
  }
  return *numeric;
}

Address bound_address(int fd, Address address) {
  if (!address.unix_path.empty()) return address;
  sockaddr_storage bound{};
  socklen_t length = sizeof bound;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &length) == 0) {
    address.port = ntohs(bound.ss_family == AF_INET ? reinterpret_cast<sockaddr_in&>(bound).sin_port
                                                    : reinterpret_cast<sockaddr_in6&>(bound).sin6_port);
  }
  return address;
}

class SocketNetwork final : public Network {
 public:
  explicit SocketNetwork(Loop& loop) : loop_(loop) {}

  Task<Result<std::unique_ptr<Stream>>> connect(Address address) override {
    SocketAddress target;
    if (!address.unix_path.empty()) {
      auto made = unix_address(address.unix_path);
      if (!made) co_return std::unexpected(made.error());
      target = *made;
    } else if (auto numeric = numeric_address(address.host, address.port); numeric && !address.host.empty()) {
      target = *numeric;
    } else {
      auto found = co_await run_blocking(
          loop_, [host = address.host, port = address.port] { return look_up(host, port); });
      if (!found) co_return std::unexpected(found.error());
      target = *found;
    }
    auto connected = co_await connect_to(target, address.to_string());
    co_return connected;
  }

  Result<std::unique_ptr<Listener>> listen(const Address& address) override {
    auto fd = open_listening_socket(address);
    if (!fd) return std::unexpected(fd.error());
    return adopt_listener(loop_, std::move(*fd), address);
  }

 private:
  Task<Result<std::unique_ptr<Stream>>> connect_to(SocketAddress target, std::string name) {
    const int fd = ::socket(target.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) co_return fail_errno(errno, "socket");
    if (target.family() != AF_UNIX) set_no_delay(fd);
    auto descriptor = std::make_unique<Descriptor>(loop_, fd);
    const int started = ::connect(fd, target.get(), target.length);
    if (started != 0 && errno != EINPROGRESS) co_return fail_errno(errno, "connect to " + name);
    if (started != 0) {
      auto opened = descriptor->open();
      if (!opened) co_return std::unexpected(opened.error());
      // The first edge may be an older "writable"; only SO_ERROR and a peer say that it is connected.
      for (;;) {
        descriptor->writable().reset();
        sockaddr_storage peer{};
        socklen_t length = sizeof peer;
        int error = 0;
        socklen_t error_length = sizeof error;
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_length);
        if (error != 0) co_return fail_errno(error, "connect to " + name);
        if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &length) == 0) break;
        co_await descriptor->writable().wait();
      }
    }
    co_return make_fd_stream(loop_, descriptor->release(), std::move(name));
  }

  Loop& loop_;
};

}  // namespace

Result<std::unique_ptr<Stream>> make_fd_stream(Loop& loop, int fd, std::string peer) {
  auto stream = std::make_unique<FdStream>(loop, fd, std::move(peer));
  if (auto opened = stream->open(); !opened) return std::unexpected(opened.error());
  return stream;
}

Result<UniqueFd> open_listening_socket(const Address& address) {
  Result<SocketAddress> target =
      address.unix_path.empty() ? numeric_listen_address(address) : unix_address(address.unix_path);
  if (!target) return std::unexpected(target.error());
  UniqueFd fd(::socket(target->family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return fail_errno(errno, "socket");
  const int on = 1, off = 0;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (target->family() == AF_INET6) setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (!address.unix_path.empty()) ::unlink(address.unix_path.c_str());
  if (::bind(fd.get(), target->get(), target->length) != 0 || ::listen(fd.get(), kBacklog) != 0) {
    return fail_errno(errno, "listen on " + address.to_string());
  }
  if (!address.unix_path.empty()) ::chmod(address.unix_path.c_str(), 0600);
  return fd;
}

Result<std::unique_ptr<Listener>> adopt_listener(Loop& loop, UniqueFd fd, const Address& address) {
  const int number = fd.get();
  auto listener = std::make_unique<SocketListener>(loop, fd.release(), bound_address(number, address));
  if (auto opened = listener->open(); !opened) return std::unexpected(opened.error());
  return listener;
}

std::unique_ptr<Network> make_socket_network(Loop& loop) {
  return std::make_unique<SocketNetwork>(loop);
}

Result<Address> Address::parse(std::string_view text) {
  constexpr std::string_view kUnix = "unix:";
  if (text.starts_with(kUnix) && text.size() > kUnix.size()) {
    return unix_socket(std::string(text.substr(kUnix.size())));
  }
  const size_t colon = text.rfind(':');
  const auto port = colon == std::string_view::npos ? std::nullopt : parse_uint(text.substr(colon + 1));
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  const bool ambiguous = host.find_first_of(bracketed ? "[]" : "[]:") != std::string_view::npos;
  if (!port || *port > 65535 || ambiguous) {
    return fail(Code::kInvalidArgument, fmt::format("\"{}\" is not of the form host:port", text));
  }
  return tcp(std::string(host), static_cast<uint16_t>(*port));
}

std::string Address::to_string() const {
  if (!unix_path.empty()) return "unix:" + unix_path;
  const bool v6 = host.find(':') != std::string::npos;
  return v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

}  // namespace skiff::io
