#include "io/inherited.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/socket.h>

#include <cerrno>

#include "base/strings.h"

namespace skiff::io {

namespace {

class InheritingNetwork final : public Network {
 public:
  InheritingNetwork(Loop& loop, InheritedSockets& sockets)
      : loop_(loop), sockets_(sockets), network_(make_socket_network(loop)) {}
  Task<Result<std::unique_ptr<Stream>>> connect(Address address) override {
    return network_->connect(std::move(address));
  }
  Result<std::unique_ptr<Listener>> listen(const Address& address) override {
    auto taken = sockets_.take(address);
    if (taken.empty()) return network_->listen(address);
    return adopt_listener(loop_, std::move(taken.front()), address);
  }

 private:
  Loop& loop_;
  InheritedSockets& sockets_;
  std::unique_ptr<Network> network_;
};

bool listens(int fd) {
  int on = 0;
  socklen_t size = sizeof on;
  return ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &size) == 0 && on != 0;
}

}  // namespace

Result<void> InheritedSockets::add(std::string_view text) {
  const size_t colon = text.find(':');
  const auto number = parse_int(text.substr(0, colon));
  if (!number || colon == std::string_view::npos || !listens(static_cast<int>(*number))) {
    return fail(Code::kInvalidArgument, fmt::format("\"{}\" names no listening socket", text));
  }
  UniqueFd fd(static_cast<int>(*number));
  if (::fcntl(fd.get(), F_SETFD, FD_CLOEXEC) != 0) return fail_errno(errno, "keep a socket from children");
  sockets_.push_back({std::move(fd), std::string(text.substr(colon + 1))});
  return {};
}

std::vector<UniqueFd> InheritedSockets::take(const Address& address) {
  const std::string wanted = address.to_string();
  std::vector<UniqueFd> taken;
  for (auto& socket : sockets_) {
    if (socket.address == wanted) taken.push_back(std::move(socket.fd));
  }
  std::erase_if(sockets_, [](const Socket& socket) { return !socket.fd; });
  return taken;
}

std::unique_ptr<Network> make_inheriting_network(Loop& loop, InheritedSockets& sockets) {
  return std::make_unique<InheritingNetwork>(loop, sockets);
}

}  // namespace skiff::io
