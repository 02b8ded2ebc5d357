#include "listener.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace ipify {
namespace {

enum class Sharing { kAlone, kWithSiblings };

// The error is an errno.
using Opened = std::expected<UniqueFd, int>;

void set_flag(const UniqueFd& fd, int level, int option, int value) {
  ::setsockopt(fd.get(), level, option, &value, sizeof value);
}

Opened bind_socket(int family, std::uint16_t port, Sharing sharing) {
  UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return std::unexpected(errno);
  set_flag(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (sharing == Sharing::kWithSiblings) set_flag(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  // Accepted sockets inherit this: an answer never waits for the acknowledgement of the one before.
  set_flag(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  int bound = -1;
  if (family == AF_INET6) {
    set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    sockaddr_in6 any{};
    any.sin6_family = AF_INET6;
    any.sin6_port = htons(port);
    bound = ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any);
  } else {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_port = htons(port);
    bound = ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any);
  }
  if (bound != 0) return std::unexpected(errno);
  return fd;
}

std::uint16_t port_of(const UniqueFd& fd) {
  sockaddr_in6 name{};  // the port lies at the same place in both families
  socklen_t size = sizeof name;
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&name), &size);
  return ntohs(name.sin6_port);
}

// SO_REUSEPORT would let two programs of one user share a port by accident, so the port is first taken alone.
std::expected<void, int> check_free(int family, std::uint16_t port) {
  const Opened probe = bind_socket(family, port, Sharing::kAlone);
  if (!probe) return std::unexpected(probe.error());
  return {};
}

std::expected<Listeners, int> open_all(int family, std::uint16_t port, unsigned count) {
  if (const auto free = check_free(family, port); !free) return std::unexpected(free.error());
  Listeners listeners;
  listeners.port = port;
  for (unsigned i = 0; i < count; ++i) {
    Opened fd = bind_socket(family, listeners.port, Sharing::kWithSiblings);
    if (!fd) return std::unexpected(fd.error());
    if (::listen(fd->get(), kListenBacklog) != 0) return std::unexpected(errno);
    listeners.port = port_of(*fd);
    listeners.sockets.push_back(std::move(*fd));
  }
  listeners.where = (family == AF_INET6 ? "[::]:" : "0.0.0.0:") + std::to_string(listeners.port);
  return listeners;
}

bool means_no_ipv6(int error) {
  return error == EAFNOSUPPORT || error == EADDRNOTAVAIL;
}

std::string explain(std::uint16_t port, int error) {
  std::string text = "cannot listen on port " + std::to_string(port) + ": " + std::strerror(error);
  if (error == EADDRINUSE) text += "; another program has it: stop that one, or set PORT to a free port";
  if (error == EACCES) text += "; set PORT to 1024 or above";
  return text;
}

}  // namespace

std::expected<Listeners, std::string> open_listeners(std::uint16_t port, unsigned count) {
  auto listeners = open_all(AF_INET6, port, count);
  if (!listeners && means_no_ipv6(listeners.error())) listeners = open_all(AF_INET, port, count);
  if (!listeners) return std::unexpected(explain(port, listeners.error()));
  return std::move(*listeners);
}

}  // namespace ipify
