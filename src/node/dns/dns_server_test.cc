#include "node/dns/dns_server.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

using namespace skiff;
using namespace skiff::node;

namespace {

constexpr size_t kLarge = 6000;  // more than any datagram that the server takes

sockaddr_in loopback(uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  out.sin_port = htons(port);
  return out;
}

// Answers over UDP that there is more, and over TCP all of it. One question each.
class Resolver {
 public:
  Resolver() : udp_(::socket(AF_INET, SOCK_DGRAM, 0)), tcp_(::socket(AF_INET, SOCK_STREAM, 0)) {
    // The same port for both; a taken one is left to its owner.
    for (int attempt = 0; attempt < 50; ++attempt) {
      sockaddr_in any = loopback(0);
      socklen_t size = sizeof any;
      if (::bind(tcp_.get(), reinterpret_cast<sockaddr*>(&any), sizeof any) == 0) ::listen(tcp_.get(), 4);
      ::getsockname(tcp_.get(), reinterpret_cast<sockaddr*>(&any), &size);
      if (::bind(udp_.get(), reinterpret_cast<sockaddr*>(&any), sizeof any) == 0) {
        port = ntohs(any.sin_port);
        break;
      }
      tcp_ = io::UniqueFd(::socket(AF_INET, SOCK_STREAM, 0));
    }
    const timeval patience{20, 0};
    ::setsockopt(udp_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    thread_ = std::thread([this] { serve(); });
  }
  ~Resolver() {
    ::shutdown(tcp_.get(), SHUT_RDWR);
    thread_.join();
  }
  uint16_t port = 0;

 private:
  void serve() {
    char packet[512];
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const ssize_t got =
        ::recvfrom(udp_.get(), packet, sizeof packet, 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (got < 12) return;
    packet[2] = static_cast<char>(packet[2] | 0x82);  // an answer, truncated
    ::sendto(udp_.get(), packet, static_cast<size_t>(got), 0, reinterpret_cast<sockaddr*>(&from), size);
    io::UniqueFd client(::accept(tcp_.get(), nullptr, nullptr));
    if (!client) return;
    const ssize_t asked = ::recv(client.get(), packet, sizeof packet, 0);
    if (asked < 14) return;
    std::string answer(kLarge, 'x');
    answer.replace(0, 2, packet + 2, 2);
    answer[2] = static_cast<char>(0x80);  // an answer, whole
    const std::string framed =
        std::string{static_cast<char>(kLarge >> 8), static_cast<char>(kLarge & 255)} + answer;
    ::send(client.get(), framed.data(), framed.size(), MSG_NOSIGNAL);
  }
  io::UniqueFd udp_, tcp_;
  std::thread thread_;
};

std::string framed_query() {
  const std::string query = encode_dns_query("big.example.org", static_cast<uint16_t>(DnsType::kTxt));
  return std::string{static_cast<char>(query.size() >> 8), static_cast<char>(query.size() & 255)} + query;
}

io::Task<size_t> ask_over_tcp(io::Network* network, uint16_t port) {
  auto stream = co_await network->connect(io::Address::tcp("127.0.0.1", port));
  if (!stream) co_return 0;
  const std::string query = framed_query();
  auto asked = co_await (*stream)->write(query);
  std::string received;
  std::array<char, 4096> buffer;
  while (received.size() < 2 + kLarge) {
    auto got = co_await (*stream)->read(buffer);
    if (!got || *got == 0) break;
    received.append(buffer.data(), *got);
  }
  co_return received.size();
}

uint16_t free_port() {
  io::UniqueFd probe(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in any = loopback(0);
  socklen_t size = sizeof any;
  ::bind(probe.get(), reinterpret_cast<sockaddr*>(&any), sizeof any);
  ::getsockname(probe.get(), reinterpret_cast<sockaddr*>(&any), &size);
  return ntohs(any.sin_port);
}

DnsOptions local_options(uint16_t resolver_port) {
  DnsOptions options;
  options.address = "127.0.0.1";
  options.port = free_port();
  options.resolvers = [] { return std::vector<std::string>{"127.0.0.1"}; };
  options.resolver_port = resolver_port;
  return options;
}

// Connected, as the kernel does it before anybody accepts.
io::UniqueFd connect_from(const char* address, int kind, uint16_t port) {
  io::UniqueFd fd(::socket(AF_INET, kind, 0));
  sockaddr_in from = loopback(0);
  ::inet_pton(AF_INET, address, &from.sin_addr);
  const sockaddr_in to = loopback(port);
  REQUIRE(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&from), sizeof from) == 0);
  REQUIRE(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
  return fd;
}

// Whether something comes, or the connection ends, while the loop turns.
bool comes(io::Loop& loop, int fd, short what, Duration within = std::chrono::seconds(20)) {
  const MonotonicTime deadline = std::chrono::steady_clock::now() + within;
  pollfd waits{fd, what, 0};
  while (::poll(&waits, 1, 0) == 0) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    loop.add_timer_after(std::chrono::milliseconds(5), [&loop] { loop.stop(); });
    loop.run();
  }
  return true;
}

std::string framed_cluster_query() {
  const std::string query = encode_dns_query("cluster.local", static_cast<uint16_t>(DnsType::kA));
  return std::string{static_cast<char>(query.size() >> 8), static_cast<char>(query.size() & 255)} + query;
}

// A server that knows no object.
struct LocalServer {
  explicit LocalServer(const DnsOptions& options)
      : server(*loop, *network, options,
               [this]() -> ClusterZone::Objects { return {none, none, no_index}; }) {
    REQUIRE(server.listen().has_value());
  }
  std::unique_ptr<io::Loop> loop = io::make_epoll_loop();
  std::unique_ptr<io::Network> network = io::make_socket_network(*loop);
  std::map<std::string, json::Value> none;
  ObjectIndex no_index;
  DnsServer server;
};

// A listener whose first accepts fail, as when descriptors run out.
class ShortOfDescriptors final : public io::Network {
 public:
  explicit ShortOfDescriptors(io::Network& real) : real_(real) {}
  io::Task<Result<std::unique_ptr<io::Stream>>> connect(io::Address address) override {
    return real_.connect(std::move(address));
  }
  Result<std::unique_ptr<io::Listener>> listen(const io::Address& address) override {
    auto inner = real_.listen(address);
    if (!inner) return inner;
    return std::unique_ptr<io::Listener>(std::make_unique<Failing>(std::move(*inner)));
  }

 private:
  struct Failing final : io::Listener {
    explicit Failing(std::unique_ptr<io::Listener> i) : inner(std::move(i)) {}
    io::Task<Result<std::unique_ptr<io::Stream>>> accept() override {
      if (failures-- > 0) co_return fail(Code::kResourceExhausted, "too many open files");
      auto stream = co_await inner->accept();
      co_return stream;
    }
    const io::Address& address() const override { return inner->address(); }
    std::unique_ptr<io::Listener> inner;
    int failures = 3;
  };
  io::Network& real_;
};

}  // namespace

TEST_CASE("an answer too large for a datagram is fetched over TCP, also after accepts that failed") {
  auto loop = io::make_epoll_loop();
  auto network = io::make_socket_network(*loop);
  ShortOfDescriptors short_network(*network);
  Resolver resolver;
  REQUIRE(resolver.port != 0);
  const DnsOptions options = local_options(resolver.port);
  const std::map<std::string, json::Value> none;
  const ObjectIndex no_index;
  DnsServer server(*loop, short_network, options,
                   [&none, &no_index]() -> ClusterZone::Objects { return {none, none, no_index}; });
  REQUIRE(server.listen().has_value());
  CHECK(io::block_on(*loop, ask_over_tcp(network.get(), options.port)) == 2 + kLarge);
}

TEST_CASE("one client's connections stop neither the others' nor names of elsewhere") {
  Resolver resolver;
  DnsOptions options = local_options(resolver.port);
  options.limits = {.forwards = 8, .forwards_of_client = 4, .connections = 8, .connections_of_client = 4};
  LocalServer local(options);
  std::vector<io::UniqueFd> held;
  for (int i = 0; i < 20; ++i) held.push_back(connect_from("127.0.0.2", SOCK_STREAM, options.port));
  const auto other = connect_from("127.0.0.3", SOCK_STREAM, options.port);
  const std::string query = framed_cluster_query();
  REQUIRE(::send(other.get(), query.data(), query.size(), MSG_NOSIGNAL) > 0);
  REQUIRE(comes(*local.loop, other.get(), POLLIN));
  char answer[512];
  CHECK(::recv(other.get(), answer, sizeof answer, MSG_DONTWAIT) > 12);
  const auto asker = connect_from("127.0.0.3", SOCK_DGRAM, options.port);
  const std::string outside = encode_dns_query("example.org", static_cast<uint16_t>(DnsType::kA));
  REQUIRE(::send(asker.get(), outside.data(), outside.size(), 0) > 0);
  CHECK(comes(*local.loop, asker.get(), POLLIN));
}

TEST_CASE("one client's questions to a resolver that is slow leave room for others'") {
  io::UniqueFd silent(::socket(AF_INET, SOCK_DGRAM, 0));  // asked, and never answers
  sockaddr_in any = loopback(0);
  socklen_t size = sizeof any;
  REQUIRE(::bind(silent.get(), reinterpret_cast<sockaddr*>(&any), sizeof any) == 0);
  ::getsockname(silent.get(), reinterpret_cast<sockaddr*>(&any), &size);
  DnsOptions options = local_options(ntohs(any.sin_port));
  options.limits.forwards_of_client = 4;
  LocalServer local(options);
  const std::string query = encode_dns_query("example.org", static_cast<uint16_t>(DnsType::kA));
  const auto greedy = connect_from("127.0.0.2", SOCK_DGRAM, options.port);
  for (int i = 0; i < 20; ++i) REQUIRE(::send(greedy.get(), query.data(), query.size(), 0) > 0);
  const auto other = connect_from("127.0.0.3", SOCK_DGRAM, options.port);
  REQUIRE(::send(other.get(), query.data(), query.size(), 0) > 0);
  int asked = 0;
  char packet[512];
  while (asked < 5 && comes(*local.loop, silent.get(), POLLIN)) {
    if (::recv(silent.get(), packet, sizeof packet, MSG_DONTWAIT) > 0) ++asked;
  }
  CHECK(asked == 5);
  CHECK(!comes(*local.loop, silent.get(), POLLIN, std::chrono::milliseconds(200)));
}

TEST_CASE("a connection ends though its client goes on asking") {
  DnsOptions options = local_options(1);
  options.limits.tcp_life = std::chrono::milliseconds(300);
  LocalServer local(options);
  const auto client = connect_from("127.0.0.2", SOCK_STREAM, options.port);
  const std::string query = framed_cluster_query();
  const MonotonicTime deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  bool open = true;
  while (open && std::chrono::steady_clock::now() < deadline) {
    open = ::send(client.get(), query.data(), query.size(), MSG_NOSIGNAL) > 0;
    static_cast<void>(comes(*local.loop, client.get(), POLLRDHUP, std::chrono::milliseconds(20)));
  }
  CHECK(!open);
}

TEST_CASE("a client that does not take its answers is left") {
  DnsOptions options = local_options(1);
  options.limits.tcp_idle = std::chrono::milliseconds(300);
  LocalServer local(options);
  const auto client = connect_from("127.0.0.2", SOCK_STREAM, options.port);
  std::string queries;
  for (int i = 0; i < 1000; ++i) queries += framed_cluster_query();
  const MonotonicTime deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  bool open = true;
  while (open && std::chrono::steady_clock::now() < deadline) {
    open = ::send(client.get(), queries.data(), queries.size(), MSG_NOSIGNAL | MSG_DONTWAIT) > 0 ||
           errno == EAGAIN;
    static_cast<void>(comes(*local.loop, client.get(), POLLRDHUP, std::chrono::milliseconds(20)));
  }
  CHECK(!open);
}
