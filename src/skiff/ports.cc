#include "skiff/ports.h"

#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <set>
#include <string>
#include <vector>

#include "io/file.h"
#include "io/sync.h"

namespace skiff {

namespace {

constexpr Duration kWaitForFree = std::chrono::seconds(5);
constexpr Duration kPause = std::chrono::milliseconds(100);

enum class Reach { kEverywhere, kLoopback };

struct Wanted {
  const char* option;
  uint16_t port;
  Reach reach;
};

std::vector<Wanted> list_wanted(const Ports& ports) {
  return {{"--http-port", ports.http, Reach::kEverywhere},
          {"--https-port", ports.https, Reach::kEverywhere},
          {"--kube-port", ports.kube, Reach::kEverywhere},
          {"--kube-port", platform_port_of(ports), Reach::kLoopback}};
}

Result<void> check_apart(const std::vector<Wanted>& wanted) {
  std::set<uint16_t> seen;
  for (const auto& one : wanted) {
    if (one.port == 0) {
      return fail(Code::kInvalidArgument, fmt::format("{} must lie between 1 and 65534", one.option));
    }
    if (!seen.insert(one.port).second) {
      return fail(
          Code::kInvalidArgument,
          fmt::format("port {} is asked for twice (--kube-port also takes the port after it): give {} "
                      "another one",
                      one.port, one.option));
    }
  }
  return {};
}

// True when nobody else listens there.
bool is_free(uint16_t port, Reach reach) {
  const bool everywhere = reach == Reach::kEverywhere;
  io::UniqueFd fd(::socket(everywhere ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return true;
  const int on = 1, off = 0;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  int bound = 0;
  if (everywhere) {
    ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port);
    bound = ::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
  } else {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bound = ::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
  }
  return bound == 0 || errno != EADDRINUSE;
}

}  // namespace

Ports wanted_ports(const InstanceRequest& request) {
  const auto known = open_instance(request.data);
  Ports out = known ? known->ports : Ports{};
  if (request.ports.http) out.http = request.ports.http;
  if (request.ports.https) out.https = request.ports.https;
  if (request.ports.kube) out.kube = request.ports.kube;
  return out;
}

io::Task<Result<void>> check_ports(io::Loop& loop, Ports ports) {
  const auto wanted = list_wanted(ports);
  const auto apart = check_apart(wanted);
  if (!apart) co_return apart;
  const MonotonicTime deadline = loop.now() + kWaitForFree;
  for (const auto& one : wanted) {
    while (!is_free(one.port, one.reach)) {
      if (loop.now() >= deadline) {
        co_return fail(Code::kUnavailable,
                       fmt::format("port {} is taken by another program: stop that, or choose "
                                   "another port with {}",
                                   one.port, one.option));
      }
      co_await io::sleep(loop, kPause);
    }
  }
  co_return Result<void>{};
}

}  // namespace skiff
