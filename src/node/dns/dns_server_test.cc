#include "node/dns/dns_server.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
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
  DnsOptions options;
  options.address = "127.0.0.1";
  options.port = free_port();
  options.resolvers = [] { return std::vector<std::string>{"127.0.0.1"}; };
  options.resolver_port = resolver.port;
  const std::map<std::string, json::Value> none;
  DnsServer server(*loop, short_network, options, [&none]() -> ClusterZone::Objects { return {none, none}; });
  REQUIRE(server.listen().has_value());
  CHECK(io::block_on(*loop, ask_over_tcp(network.get(), options.port)) == 2 + kLarge);
}
