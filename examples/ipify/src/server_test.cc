// The server on a loopback port of its own: what only real sockets can show.
#include "server.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <string>

#include "testing.h"

namespace ipify {
namespace {

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

Config config_with(Timeouts timeouts = {}) {
  Config config;
  config.threads = 2;
  config.worker.trust = default_trust();
  config.worker.timeouts = timeouts;
  config.worker.drain = Millis(0);
  return config;
}

class Peer {
 public:
  explicit Peer(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval patience{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  }

  bool connected() const { return connected_; }
  void send(std::string_view bytes) { ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  void finish_sending() { ::shutdown(fd_.get(), SHUT_WR); }

  // Everything up to and including `text`, or up to the end of the connection.
  std::string read_until(std::string_view text) {
    std::string got;
    char c = 0;
    while (!got.ends_with(text) && ::recv(fd_.get(), &c, 1, 0) == 1) got += c;
    return got;
  }
  std::string read_all() {
    std::string got;
    char bytes[4096];
    for (ssize_t n = 0; (n = ::recv(fd_.get(), bytes, sizeof bytes, 0)) > 0;)
      got.append(bytes, static_cast<std::size_t>(n));
    return got;
  }
  bool at_end() {
    char c = 0;
    return ::recv(fd_.get(), &c, 1, 0) == 0;
  }

 private:
  UniqueFd fd_;
  bool connected_ = false;
};

TEST("a connection answers request after request") {
  auto server = Server::start(config_with());
  Peer peer((*server)->port());
  for (int i = 0; i < 3; ++i) {
    peer.send(kGet);
    CHECK(peer.read_until("127.0.0.1").starts_with("HTTP/1.1 200 OK\r\n"));
  }
}

TEST("a client that half-closes still gets its answer") {
  auto server = Server::start(config_with());
  Peer peer((*server)->port());
  peer.send(kGet);
  peer.finish_sending();
  CHECK(peer.read_all().ends_with("127.0.0.1"));
}

TEST("thousands of requests in a row are all answered to a client that reads late") {
  constexpr int kRequests = 20'000;
  auto server = Server::start(config_with());
  Peer peer((*server)->port());
  std::jthread sender([&peer] {
    std::string some;
    for (int i = 0; i < 100; ++i) some += kGet;
    for (int i = 0; i < kRequests / 100; ++i) peer.send(some);
    peer.finish_sending();
  });
  const std::string got = peer.read_all();
  int answers = 0;
  for (std::size_t at = got.find("127.0.0.1"); at != got.npos; at = got.find("127.0.0.1", at + 1)) ++answers;
  CHECK_EQ(answers, kRequests);
}

TEST("an idle connection is closed") {
  auto server = Server::start(config_with({.idle = Millis(20)}));
  Peer peer((*server)->port());
  CHECK(peer.at_end());
}

TEST("a slow request is answered with 408, however steadily it drips") {
  auto server = Server::start(config_with({.request = Millis(60)}));
  Peer peer((*server)->port());
  std::jthread dripping([&peer](const std::stop_token& stop) {
    peer.send("GET / HTTP/1.1\r\n");
    while (!stop.stop_requested()) {
      peer.send("A: b\r\n");
      std::this_thread::sleep_for(Millis(10));
    }
  });
  CHECK(peer.read_until("\r\n").starts_with("HTTP/1.1 408"));
}

TEST("at its limit the server lets an idle connection go for a new one") {
  Config config = config_with({.evict_after = Millis(10)});
  config.threads = 1;
  config.worker.max_connections = 1;
  auto server = Server::start(config);
  Peer first((*server)->port());
  first.send(kGet);
  first.read_until("127.0.0.1");
  Peer second((*server)->port());
  second.send(kGet);
  CHECK(second.read_until("127.0.0.1").ends_with("127.0.0.1"));
  CHECK(first.at_end());
}

TEST("stopping finishes the request that has begun and closes the rest") {
  Config config = config_with();
  config.threads = 1;  // the end of `idle` then tells that the worker of `begun` has heard too
  auto server = Server::start(config);
  Peer idle((*server)->port());
  idle.send(kGet);
  idle.read_until("127.0.0.1");
  Peer begun((*server)->port());
  begun.send(std::string(kGet) + "GET / HTTP/1.1\r\n");
  begun.read_until("127.0.0.1");
  (*server)->advance(Stage::kDraining);
  CHECK(idle.at_end());
  begun.send("Host: a\r\n\r\n");
  CHECK(begun.read_all().find("Connection: close\r\n") != std::string::npos);
  (*server)->wait();
  CHECK_EQ((*server)->answered(), 3u);
  CHECK(!Peer((*server)->port()).connected());
}

TEST("a client that connected just before the stop still gets its first answer") {
  auto server = Server::start(config_with());
  Peer fresh((*server)->port());
  (*server)->advance(Stage::kClosing);
  while (Peer((*server)->port()).connected()) {
  }
  fresh.send(kGet);
  CHECK(fresh.read_all().ends_with("127.0.0.1"));
}

TEST("a client that connected just before the stop and says nothing does not hold it up") {
  auto server = Server::start(config_with({.first = Millis(20)}));
  Peer silent((*server)->port());
  (*server)->advance(Stage::kClosing);
  CHECK(silent.at_end());
  (*server)->wait();
}

TEST("while draining newcomers are served and told to go") {
  Config config = config_with();
  config.worker.drain = kMaxDrain;
  auto server = Server::start(config);
  (*server)->advance(Stage::kDraining);
  Peer served((*server)->port());
  served.send(kGet);
  const std::string answer = served.read_all();
  CHECK(answer.find("Connection: close\r\n") != answer.npos);
  CHECK(answer.ends_with("127.0.0.1"));
}

TEST("a port in use is refused with what to do") {
  auto server = Server::start(config_with());
  Config config = config_with();
  config.port = (*server)->port();
  const auto second = Server::start(config);
  CHECK(!second.has_value());
  CHECK(second.error().find("set PORT to a free port") != std::string::npos);
}

}  // namespace
}  // namespace ipify
