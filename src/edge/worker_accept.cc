// Connections come and go.
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/ip.h"
#include "edge/proxy_header.h"
#include "edge/worker.h"

namespace skiff::edge {
namespace {

constexpr int kAcceptsPerTurn = 64;
constexpr uint32_t kBoth = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
constexpr size_t kExcessShare = 8;  // an eighth more clients are told why they
                                    // are not served; the rest is cut

void delete_conn(Conn* conn) {
  if (conn->kind == Conn::Kind::kClient) {
    delete static_cast<Client*>(conn);
  } else {
    delete static_cast<Upstream*>(conn);
  }
}

}  // namespace

void Worker::accept_some(Conn& listener) {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    const int fd =
        ::accept4(listener.fd, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE)) return refuse_connection(listener.fd);
    if (fd < 0) return;
    keep_spare();
    Arrival arrival{fd, address_of(reinterpret_cast<const sockaddr&>(peer)).value_or(IpAddress{}).text(),
                    listener.kind == Conn::Kind::kTlsListener};
    const size_t worker = options_.spread ? options_.spread->choose(options_.index) : options_.index;
    if (worker == options_.index) {
      add_client(std::move(arrival));
    } else {
      options_.spread->hand_over(worker, std::move(arrival));
    }
  }
}

void Worker::take_arrivals() {
  if (options_.spread == nullptr) return;
  for (auto& arrival : options_.spread->take(options_.index)) add_client(std::move(arrival));
}

// Without a free descriptor a connection can't even be closed: it would wake the loop for ever.
void Worker::refuse_connection(int listener_fd) {
  if (spare_fd_ >= 0) ::close(spare_fd_);
  const int fd = ::accept4(listener_fd, nullptr, nullptr, SOCK_CLOEXEC);
  if (fd >= 0) ::close(fd);
  spare_fd_ = -1;
  keep_spare();
}

// Another thread may have taken the last one meanwhile; the next connection tries again.
void Worker::keep_spare() {
  if (spare_fd_ < 0) spare_fd_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

void Worker::add_client(Arrival arrival) {
  auto c = std::make_unique<Client>();
  c->fd = arrival.fd;
  c->port = arrival.tls ? options_.https_port : options_.http_port;
  set_visitor(*c, std::move(arrival.ip));
  c->preface = options_.proxy_protocol && c->trusted;
  const size_t limit = options_.limits.max_connections;
  c->excess = clients_.size() >= limit;
  const bool beyond = clients_.size() >= limit + limit / kExcessShare + 1;
  if (beyond || !prepare(*c, arrival.tls)) {
    if (options_.spread != nullptr) options_.spread->leave(options_.index);
    return;
  }
  c->deadline = now_ + options_.limits.head.count();
  c->index = clients_.size();
  clients_.push_back(c.release());
}

void Worker::set_visitor(Client& c, std::string ip) {
  c.ip = std::move(ip);
  if (options_.trusted_proxies.empty()) return;
  const auto address = parse_ip(c.ip);
  c.trusted = address && any_contains(options_.trusted_proxies, *address);
}

// The PROXY protocol's header is looked at in the socket and taken from it alone: what follows is a request
// or a TLS handshake. False while it is not whole, and when the connection has ended.
bool Worker::take_preface(Client& c) {
  if (!c.readable) return false;
  const ssize_t got = ::recv(c.fd, scratch_.data(), kMaxProxyHeader, MSG_PEEK);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return c.readable = false;
  const auto header = parse_proxy_header({scratch_.data(), static_cast<size_t>(std::max<ssize_t>(got, 0))});
  using Parse = ProxyHeader::Parse;
  // A trusted proxy on this machine may leave it out: so do the commands of skiff.
  const bool left_out = got > 0 && header.parse == Parse::kOther && parse_ip(c.ip)->is_loopback();
  if (got > 0 && header.parse == Parse::kIncomplete && !c.hung_up) return c.readable = false;
  if (got <= 0 || (header.parse != Parse::kComplete && !left_out)) {
    end_client(c);
    return false;
  }
  c.preface = false;
  if (left_out) return true;
  [[maybe_unused]] const auto taken = ::recv(c.fd, scratch_.data(), header.bytes, 0);
  if (!header.source) return true;
  c.relayed = true;
  c.port = std::to_string(header.port);
  set_visitor(c, header.source->text());
  return true;
}

// False when the connection can't be served; it is closed with `c`.
bool Worker::prepare(Client& c, bool tls) {
  const int on = 1;
  ::setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (tls) {
    c.ssl = SSL_new(options_.tls);
    if (c.ssl == nullptr) return false;
    SSL_set_fd(c.ssl, c.fd);
    SSL_set_accept_state(c.ssl);
  }
  return watch(c, kBoth);
}

void Worker::end_client(Client& c) {
  if (c.dead) return;
  if (options_.spread != nullptr) options_.spread->leave(options_.index);
  if (c.state == Client::State::kHeld) leave_place(c);
  if (c.upstream != nullptr) {
    Upstream& u = *c.upstream;
    --u.target->load.outstanding;
    u.client = nullptr;
    c.upstream = nullptr;
    drop_upstream(u);
  }
  if (c.again) again_[c.again_at] = nullptr;
  clients_[c.index] = clients_.back();
  clients_[c.index]->index = c.index;
  clients_.pop_back();
  c.dead = true;
  c.close();
  graveyard_.emplace_back(&c, &delete_conn);
}

void Worker::drop_upstream(Upstream& u) {
  if (u.dead) return;
  auto& idle = u.target->idle;
  if (const auto it = std::find(idle.begin(), idle.end(), &u); it != idle.end()) {
    idle.erase(it);
    --idle_upstreams_;
  }
  u.dead = true;
  u.close();
  graveyard_.emplace_back(&u, &delete_conn);
}

}  // namespace skiff::edge
