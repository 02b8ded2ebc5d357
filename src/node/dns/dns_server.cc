#include "node/dns/dns_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "base/log.h"
#include "node/network/netlink.h"

namespace skiff::node {

namespace {

constexpr size_t kMaxPacket = 4096;
constexpr size_t kMaxTcpPacket = 65535;
constexpr Duration kResolverLimit = std::chrono::seconds(2);
constexpr Duration kAcceptPause = std::chrono::milliseconds(50);  // after an error
constexpr int kReadsATurn = 64;

sockaddr_in socket_address(uint32_t address, uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_addr.s_addr = htonl(address);
  out.sin_port = htons(port);
  return out;
}

std::string failure(const std::string& query) {
  const auto question = parse_dns_query(query);
  if (!question) return "";
  return encode_dns_answer(*question, {DnsCode::kFailure, {}, ""}, kMaxPacket);
}

bool is_truncated(const std::string& packet) {
  return packet.size() > 2 && (static_cast<uint8_t>(packet[2]) & 0x02) != 0;
}

// Over TCP a message follows its length in two bytes.
std::string framed(const std::string& packet) {
  return std::string{static_cast<char>(packet.size() >> 8), static_cast<char>(packet.size() & 255)} + packet;
}

size_t framed_size(const std::string& received) {
  return static_cast<size_t>((static_cast<uint8_t>(received[0]) << 8) | static_cast<uint8_t>(received[1]));
}

// The next message of a stream; what came behind it stays in `received`. Both outlive the task.
io::Task<Result<std::string>> read_framed(io::Stream* stream, std::string* received) {
  std::array<char, kMaxPacket> buffer;
  while (received->size() < 2 || received->size() < 2 + framed_size(*received)) {
    auto got = co_await stream->read(buffer);
    SKIFF_CO_RETURN_IF_ERROR(got);
    if (*got == 0) co_return fail(Code::kEof, "the connection ended within a message");
    received->append(buffer.data(), *got);
  }
  const size_t size = framed_size(*received);
  std::string packet = received->substr(2, size);
  received->erase(0, 2 + size);
  co_return packet;
}

// 0 for one that has no IPv4 address: they share a client's places.
uint32_t client_of(const io::Stream& stream) {
  const std::string peer = stream.peer();
  return parse_ipv4(peer.substr(0, peer.rfind(':'))).value_or(0);
}

// Waits for one datagram on a connected socket.
class Reply final : public io::FdHandler {
 public:
  Reply(io::Loop& loop, int fd) : loop_(loop), fd_(fd), readable_(loop) {}
  ~Reply() override { loop_.unwatch(fd_); }
  Result<void> open() { return loop_.watch(fd_, *this); }
  void on_readable() override { readable_.set(); }
  void on_writable() override {}
  io::Task<Result<std::string>> receive(uint16_t id) {
    std::string buffer(kMaxPacket, '\0');
    for (;;) {
      readable_.reset();
      const ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), 0);
      if (got >= 2) {
        const auto answered =
            static_cast<uint16_t>((static_cast<uint8_t>(buffer[0]) << 8) | static_cast<uint8_t>(buffer[1]));
        if (answered == id) co_return buffer.substr(0, static_cast<size_t>(got));
        continue;
      }
      if (got < 0 && errno != EAGAIN) co_return fail_errno(errno, "resolver");
      co_await readable_.wait();
    }
  }

 private:
  io::Loop& loop_;
  int fd_;
  io::Event readable_;
};

}  // namespace

DnsServer::DnsServer(io::Loop& loop, io::Network& network, DnsOptions options, ZoneObjects objects)
    : loop_(loop),
      network_(network),
      options_(std::move(options)),
      objects_(std::move(objects)),
      zone_(options_.domain),
      forwards_(options_.limits.forwards, options_.limits.forwards_of_client),
      connections_(options_.limits.connections, options_.limits.connections_of_client),
      scope_(loop) {}

DnsServer::~DnsServer() {
  if (socket_) loop_.unwatch(socket_.get());
}

Result<void> DnsServer::listen() {
  auto address = parse_ipv4(options_.address);
  if (!address) return std::unexpected(address.error());
  socket_ = io::UniqueFd(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket_) return fail_errno(errno, "make the name server's socket");
  const sockaddr_in local = socket_address(*address, options_.port);
  if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&local), sizeof local) != 0) {
    return fail_errno(errno, "listen for names on " + options_.address);
  }
  SKIFF_RETURN_IF_ERROR(loop_.watch(socket_.get(), *this));
  auto listener = network_.listen(io::Address::tcp(options_.address, options_.port));
  if (!listener) return std::unexpected(listener.error());
  listener_ = std::move(*listener);
  scope_.spawn(accept_tcp());
  return {};
}

void DnsServer::send(const std::string& packet, Client client) {
  const sockaddr_in to = socket_address(client.address, client.port);
  ::sendto(socket_.get(), packet.data(), packet.size(), MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(&to),
           sizeof to);
}

void DnsServer::on_readable() {
  std::array<char, kMaxPacket> buffer;
  for (int i = 0; i < kReadsATurn; ++i) {
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const ssize_t got =
        ::recvfrom(socket_.get(), buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (got < 0) return;
    const Client client{ntohl(from.sin_addr.s_addr), ntohs(from.sin_port)};
    std::string query(buffer.data(), static_cast<size_t>(got));
    const auto question = parse_dns_query(query);
    if (!question) continue;
    if (auto packet = answer(query, question->udp_size)) {
      send(*packet, client);
    } else if (auto place = forwards_.try_take(client.address)) {
      scope_.spawn(forward_udp(std::move(query), question->udp_size, client, std::move(*place)));
    }
  }
  // Edge-triggered: what is left is read in the next turn.
  loop_.post([this] { on_readable(); });
}

std::optional<std::string> DnsServer::answer(const std::string& query, size_t limit) {
  const auto question = parse_dns_query(query);
  if (!question) return std::nullopt;
  auto found = zone_.answer(objects_(), question->name, question->type);
  if (!found || !found->alias.empty()) return std::nullopt;
  return encode_dns_answer(*question, *found, limit);
}

io::Task<void> DnsServer::forward_udp(std::string query, size_t limit, Client client,
                                      ClientQuota::Place place) {
  static_cast<void>(place);  // until the answer is sent
  auto reply = co_await resolve(std::move(query), limit);
  send(reply, client);
}

// The answer to what the zone does not know, or knows only the beginning of.
io::Task<std::string> DnsServer::resolve(std::string query, size_t limit) {
  const auto question = parse_dns_query(query);
  if (!question) co_return std::string();
  auto found = zone_.answer(objects_(), question->name, question->type);
  const std::string asked = found ? encode_dns_query(found->alias, question->type) : query;
  auto reply = co_await ask_resolvers(asked, limit);
  if (!reply) co_return failure(query);
  if (!found) co_return *reply;
  auto rest = parse_dns_addresses(*reply, found->alias, question->type);
  if (!rest) co_return failure(query);
  found->code = rest->code;
  found->records.insert(found->records.end(), rest->records.begin(), rest->records.end());
  co_return encode_dns_answer(*question, *found, limit);
}

// What does not fit into a datagram is asked for again over TCP for a client that can take it (RFC 7766 5);
// one of UDP gets what came, and asks by TCP itself.
io::Task<Result<std::string>> DnsServer::ask_resolvers(std::string query, size_t limit) {
  for (const auto& resolver : options_.resolvers()) {
    auto task = ask(resolver, query);
    auto reply = co_await io::with_timeout(loop_, kResolverLimit, std::move(task));
    if (reply && is_truncated(*reply) && limit > kMaxPacket) {
      auto whole = ask_tcp(resolver, query);
      reply = co_await io::with_timeout(loop_, kResolverLimit, std::move(whole));
    }
    if (reply) co_return reply;
    log_debug("resolver failed", {{"resolver", resolver}, {"error", reply.error().message}});
  }
  co_return fail(Code::kUnavailable, "no resolver of the host answered");
}

io::Task<Result<std::string>> DnsServer::ask(std::string resolver, std::string query) {
  auto address = parse_ipv4(resolver);
  if (!address) co_return std::unexpected(address.error());
  io::UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) co_return fail_errno(errno, "socket");
  const sockaddr_in to = socket_address(*address, options_.resolver_port);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
    co_return fail_errno(errno, "connect");
  // A number of our own: guessing it is what forging an answer takes.
  const std::string original = query.substr(0, 2);
  const auto id = static_cast<uint16_t>(loop_.random().next());
  query[0] = static_cast<char>(id >> 8);
  query[1] = static_cast<char>(id & 255);
  Reply reply(loop_, fd.get());
  auto opened = reply.open();
  if (!opened) co_return std::unexpected(opened.error());
  if (::send(fd.get(), query.data(), query.size(), 0) < 0) co_return fail_errno(errno, "ask " + resolver);
  auto packet = co_await reply.receive(id);
  if (packet) packet->replace(0, 2, original);
  co_return packet;
}

io::Task<Result<std::string>> DnsServer::ask_tcp(std::string resolver, std::string query) {
  auto connected = co_await network_.connect(io::Address::tcp(std::move(resolver), options_.resolver_port));
  SKIFF_CO_RETURN_IF_ERROR(connected);
  // The stream is ours alone: the client's own number is as good as another.
  auto asked = co_await (*connected)->write(framed(query));
  SKIFF_CO_RETURN_IF_ERROR(asked);
  std::string received;
  auto reply = co_await read_framed(connected->get(), &received);
  co_return reply;
}

io::Task<void> DnsServer::accept_tcp() {
  for (;;) {
    auto stream = co_await listener_->accept();
    // Out of descriptors, or a client that was gone before it was taken: the next one may fare better.
    if (!stream) {
      co_await io::sleep(loop_, kAcceptPause);
      continue;
    }
    if (auto place = connections_.try_take(client_of(**stream)))
      scope_.spawn(serve_tcp(std::move(*stream), std::move(*place)));
  }
}

io::Task<void> DnsServer::serve_tcp(std::unique_ptr<io::Stream> stream, ClientQuota::Place place) {
  static_cast<void>(place);  // until the stream is closed
  auto task = answer_all(stream.get());
  auto ended = co_await io::with_timeout(loop_, options_.limits.tcp_life, std::move(task));
  if (!ended) log_debug("name server's connection closed", {{"error", ended.error().message}});
}

// Until the client has no more questions, or breaks a limit.
io::Task<Result<void>> DnsServer::answer_all(io::Stream* stream) {
  std::string received;
  for (;;) {
    auto task = read_framed(stream, &received);
    auto query = co_await io::with_timeout(loop_, options_.limits.tcp_idle, std::move(task));
    SKIFF_CO_RETURN_IF_ERROR(query);
    auto packet = answer(*query, kMaxTcpPacket);
    if (!packet) packet = co_await resolve(*query, kMaxTcpPacket);
    if (packet->empty()) co_return fail(Code::kInvalidArgument, "no query");
    const std::string message = framed(*packet);
    auto writing = stream->write(message);
    auto written = co_await io::with_timeout(loop_, options_.limits.tcp_idle, std::move(writing));
    SKIFF_CO_RETURN_IF_ERROR(written);
  }
}

}  // namespace skiff::node
