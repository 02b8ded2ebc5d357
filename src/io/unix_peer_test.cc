#include "io/unix_peer.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <unistd.h>

#include <optional>

#include "io/file.h"
#include "io/stream.h"
#include "io/sync.h"

using namespace skiff;

TEST_CASE("the peer of a unix socket comes back from its text") {
  const io::UnixPeer peer{70001, 42};
  CHECK(io::parse_unix_peer(io::encode_unix_peer(peer)) == peer);
  for (const char* other : {"", "unix", "unix:1", "unix:1:", "unix:-1:2", "unix:1:0", "unix:4294967296:1",
                            "10.0.0.1:80", "unix:1:2:3", "unix:a:b"}) {
    CHECK_FALSE(io::parse_unix_peer(other).has_value());
  }
}

namespace {
io::Task<void> accept_one(io::Listener* listener, std::optional<std::string>* peer) {
  auto stream = co_await listener->accept();
  if (stream) *peer = (*stream)->peer();
}
io::Task<void> connect_one(io::Network* network, io::Address address, io::Loop* loop,
                           std::optional<std::string>* peer) {
  auto stream = co_await network->connect(std::move(address));
  while (!*peer) co_await io::sleep(*loop, std::chrono::milliseconds(1));
  loop->stop();
}
}  // namespace

TEST_CASE("a listener on a unix socket knows who connected") {
  char name[] = "/tmp/skiff-peer-XXXXXX";
  const std::string folder = ::mkdtemp(name);
  auto loop = io::make_epoll_loop();
  auto network = io::make_socket_network(*loop);
  const auto address = io::Address::unix_socket(folder + "/socket");
  auto listener = network->listen(address);
  REQUIRE(listener.has_value());
  std::optional<std::string> peer;
  {
    io::TaskScope scope(*loop);
    scope.spawn(accept_one(listener->get(), &peer));
    scope.spawn(connect_one(network.get(), address, loop.get(), &peer));
    loop->run();
  }
  REQUIRE(peer.has_value());
  CHECK(io::parse_unix_peer(*peer) == io::UnixPeer{::getuid(), ::getpid()});
  REQUIRE(io::remove_tree(folder));
}
