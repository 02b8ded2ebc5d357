#include "skiff/sockets.h"

#include <algorithm>
#include <thread>

#include "edge/listen.h"
#include "io/inherited.h"

namespace skiff {

namespace {

Result<void> add_socket(const io::Address& address, std::vector<HeldSocket>& out) {
  auto fd = io::open_listening_socket(address);
  if (!fd) return std::unexpected(fd.error());
  out.push_back({address, std::move(*fd)});
  return {};
}

// A group on one port: the kernel spreads connections over it. The edge runs a thread for each.
Result<void> add_group(uint16_t port, std::vector<HeldSocket>& out) {
  const unsigned count = std::max(1u, std::thread::hardware_concurrency());
  const auto address = io::Address::tcp("", port);
  for (unsigned i = 0; i < count; ++i) {
    auto fd = edge::listen_on(address, port);
    if (!fd) return std::unexpected(fd.error());
    out.push_back({address, io::UniqueFd(*fd)});
  }
  return {};
}

}  // namespace

Result<Sockets> open_sockets(const Instance& instance) {
  Sockets out;
  SKIFF_RETURN_IF_ERROR(add_group(instance.ports.http, out["edge"]));
  SKIFF_RETURN_IF_ERROR(add_group(instance.ports.https, out["edge"]));
  SKIFF_RETURN_IF_ERROR(add_socket(io::Address::tcp("", instance.ports.kube), out["control"]));
  SKIFF_RETURN_IF_ERROR(add_socket(io::Address::tcp("127.0.0.1", instance.platform_port), out["platform"]));
  SKIFF_RETURN_IF_ERROR(add_socket(io::Address::unix_socket(instance.node_log_socket()), out["node"]));
  return out;
}

}  // namespace skiff
