#include "io/inherited.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/process.h"
#include "io/sync.h"

using namespace skiff;

namespace {

const io::Address kAnyPort = io::Address::tcp("127.0.0.1", 0);

uint16_t port_of(int fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  REQUIRE(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  return ntohs(address.sin_port);
}

io::Task<std::string> serve_once(io::Network& network, io::Address address) {
  auto client = co_await network.connect(address);
  if (!client) co_return "refused";
  auto listener = network.listen(address);
  if (!listener) co_return listener.error().message;
  auto server = co_await (*listener)->accept();
  if (!server) co_return server.error().message;
  co_return "served";
}

}  // namespace

TEST_CASE("who connects while nobody serves waits in the inherited socket") {
  auto held = io::open_listening_socket(kAnyPort);
  REQUIRE(held);
  const auto address = io::Address::tcp("127.0.0.1", port_of(held->get()));
  const auto loop = io::make_epoll_loop(1);
  for (int run = 0; run < 2; ++run) {
    io::InheritedSockets sockets;
    REQUIRE(sockets.add(fmt::format("{}:{}", ::dup(held->get()), address.to_string())));
    const auto network = io::make_inheriting_network(*loop, sockets);
    CHECK(io::block_on(*loop, serve_once(*network, address)) == "served");
    CHECK(sockets.empty());
  }
}

TEST_CASE("sockets are taken by address, all of a group, and children of the process don't get them") {
  auto one = io::open_listening_socket(kAnyPort);
  auto other = io::open_listening_socket(kAnyPort);
  REQUIRE(one);
  REQUIRE(other);
  io::InheritedSockets sockets;
  const int first = ::dup(one->get()), second = ::dup(one->get());
  REQUIRE(sockets.add(fmt::format("{}::80", first)));
  REQUIRE(sockets.add(fmt::format("{}::80", second)));
  REQUIRE(sockets.add(fmt::format("{}:unix:/run/x", ::dup(other->get()))));
  CHECK((::fcntl(first, F_GETFD) & FD_CLOEXEC) != 0);
  const auto taken = sockets.take(io::Address::tcp("", 80));
  REQUIRE(taken.size() == 2);
  CHECK(taken[0].get() == first);
  CHECK(taken[1].get() == second);
  CHECK(sockets.take(io::Address::tcp("", 80)).empty());
  CHECK(sockets.take(io::Address::unix_socket("/run/x")).size() == 1);
}

TEST_CASE("what is no listening socket is refused") {
  io::InheritedSockets sockets;
  for (const char* text : {"", "x:80", "77777::80", "0", "-1::80"}) CHECK(!sockets.add(text));
}

TEST_CASE("a child gets the descriptors that are kept for it, and no other") {
  const auto loop = io::make_epoll_loop(1);
  const io::UniqueFd kept(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const io::UniqueFd other(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const auto opens = [&](int fd) {
    io::ProcessOptions options;
    options.argv = {"test", "-e", fmt::format("/proc/self/fd/{}", fd)};
    options.keep_fds = {kept.get()};
    auto process = io::spawn_process(*loop, options);
    REQUIRE(process);
    return io::block_on(*loop, (*process)->wait())->ok();
  };
  CHECK(opens(kept.get()));
  CHECK(!opens(other.get()));
}
