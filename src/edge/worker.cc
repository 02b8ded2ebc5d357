#include "edge/worker.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace skiff::edge {
namespace {

constexpr int kEventsPerTurn = 256;
constexpr int kAcceptsPerTurn = 64;
constexpr int kLogDelayMs = 100;
constexpr uint32_t kBoth = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

int64_t clock_ms(clockid_t clock) {
  timespec t{};
  ::clock_gettime(clock, &t);
  return int64_t{t.tv_sec} * 1000 + t.tv_nsec / 1000000;
}

std::string peer_ip(const sockaddr_storage& peer) {
  char text[INET6_ADDRSTRLEN] = {};
  if (peer.ss_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(peer).sin_addr, text, sizeof text);
  } else {
    const in6_addr& ip = reinterpret_cast<const sockaddr_in6&>(peer).sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&ip)) {
      ::inet_ntop(AF_INET, ip.s6_addr + 12, text, sizeof text);
    } else {
      ::inet_ntop(AF_INET6, &ip, text, sizeof text);
    }
  }
  return text;
}

void set_no_delay(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void delete_conn(Conn* conn) {
  if (conn->kind == Conn::Kind::kClient) {
    delete static_cast<Client*>(conn);
  } else {
    delete static_cast<Upstream*>(conn);
  }
}

}  // namespace

Worker::Worker(WorkerOptions options, std::shared_ptr<const RouteTable> routes)
    : options_(std::move(options)),
      routes_(std::move(routes)),
      scratch_(kScratchBytes, '\0'),
      random_(SystemRandom().next()) {
  http_.fd = options_.http_fd;
  https_.fd = options_.https_fd;
}

Worker::~Worker() {
  while (!clients_.empty()) end_client(*clients_.back());
  for (auto& [key, target] : targets_) {
    while (!target->idle.empty()) drop_upstream(*target->idle.back());
  }
  free_dead();
  flush_logs();
  if (epoll_ >= 0) ::close(epoll_);
}

bool Worker::watch(Conn& conn, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &conn;
  return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, conn.fd, &event) == 0;
}

Result<void> Worker::open() {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) return fail_errno(errno, "make an epoll instance");
  wake_.fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (wake_.fd < 0) return fail_errno(errno, "make an eventfd");
  for (Conn* conn : {&wake_, &http_, &https_}) {
    if (conn->fd >= 0 && !watch(*conn, EPOLLIN)) return fail_errno(errno, "watch a socket");
  }
  return {};
}

void Worker::wake() {
  const uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_.fd, &one, sizeof one);
}

void Worker::stop() {
  stopping_ = true;
  wake();
}

void Worker::set_routes(std::shared_ptr<const RouteTable> routes) {
  {
    const std::lock_guard lock(mutex_);
    next_routes_ = std::move(routes);
  }
  new_routes_ = true;
  wake();
}

void Worker::read_clock() {
  now_ = clock_ms(CLOCK_MONOTONIC);
  wall_ms_ = clock_ms(CLOCK_REALTIME);
}

int Worker::wait_time() const {
  if (!log_.empty()) return kLogDelayMs;
  return clients_.empty() && idle_upstreams_ == 0 ? -1 : static_cast<int>(kSweep.count());
}

void Worker::run() {
  std::array<epoll_event, kEventsPerTurn> events;
  read_clock();
  while (!stopping_) {
    const int count = ::epoll_wait(epoll_, events.data(), kEventsPerTurn, wait_time());
    read_clock();
    for (int i = 0; i < count; ++i) {
      Conn& conn = *static_cast<Conn*>(events[static_cast<size_t>(i)].data.ptr);
      if (!conn.dead) dispatch(conn, events[static_cast<size_t>(i)].events);
    }
    if (new_routes_.exchange(false)) adopt_routes();
    while (!again_.empty()) {
      Client& c = *again_.back();
      again_.pop_back();
      if (!c.dead) drive(c);
    }
    if (now_ - last_sweep_ >= kSweep.count()) sweep();
    if (!log_.empty() && (log_bytes_ >= kLogFlushBytes || count < 1)) flush_logs();
    free_dead();
  }
}

void Worker::dispatch(Conn& conn, uint32_t events) {
  switch (conn.kind) {
    case Conn::Kind::kWake: {
      uint64_t count = 0;
      [[maybe_unused]] const auto got = ::read(wake_.fd, &count, sizeof count);
      return;
    }
    case Conn::Kind::kListener:
    case Conn::Kind::kTlsListener:
      return accept_some(conn);
    case Conn::Kind::kClient:
      return on_client(static_cast<Client&>(conn), events);
    case Conn::Kind::kUpstream:
      return on_upstream(static_cast<Upstream&>(conn), events);
  }
}

void Worker::accept_some(Conn& listener) {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    const int fd =
        ::accept4(listener.fd, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    if (clients_.size() >= kMaxConnections) {
      ::close(fd);
      continue;
    }
    auto* c = new Client;
    c->fd = fd;
    c->ip = peer_ip(peer);
    set_no_delay(fd);
    if (listener.kind == Conn::Kind::kTlsListener) {
      c->ssl = SSL_new(options_.tls);
      if (c->ssl != nullptr) {
        SSL_set_fd(c->ssl, fd);
        SSL_set_accept_state(c->ssl);
      }
    }
    const bool lacks_tls = listener.kind == Conn::Kind::kTlsListener && c->ssl == nullptr;
    if (lacks_tls || !watch(*c, kBoth)) {
      delete c;
      continue;
    }
    c->deadline = now_ + kHeadTimeout.count();
    c->index = clients_.size();
    clients_.push_back(c);
  }
}

void Worker::adopt_routes() {
  {
    const std::lock_guard lock(mutex_);
    if (next_routes_) routes_ = std::move(next_routes_);
    next_routes_ = nullptr;
  }
  resolved_.clear();
  std::vector<Client*> held;
  for (Client* c : clients_) {
    if (c->state == Client::State::kHeld) held.push_back(c);
  }
  for (Client* c : held) route(*c);
}

// Timeouts, pooled connections past their time, and targets that no table names.
void Worker::sweep() {
  last_sweep_ = now_;
  for (size_t i = clients_.size(); i-- > 0;) {
    if (i < clients_.size() && clients_[i]->deadline <= now_) expire(*clients_[i]);
  }
  for (auto it = targets_.begin(); it != targets_.end();) {
    Target& target = *it->second;
    while (!target.idle.empty() && now_ - target.idle.front()->idle_since > kUpstreamIdle.count()) {
      drop_upstream(*target.idle.front());
    }
    const bool unused = target.idle.empty() && target.outstanding == 0 && target.quarantined_until < now_;
    if (unused) {
      std::erase_if(resolved_, [&](const auto& entry) { return entry.second == &target; });
      it = targets_.erase(it);
    } else {
      ++it;
    }
  }
}

void Worker::free_dead() {
  graveyard_.clear();
}

void Worker::end_client(Client& c) {
  if (c.dead) return;
  if (c.state == Client::State::kHeld) --held_;
  if (c.upstream != nullptr) {
    Upstream& u = *c.upstream;
    --u.target->outstanding;
    u.client = nullptr;
    c.upstream = nullptr;
    drop_upstream(u);
  }
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

void Worker::flush_logs() {
  if (log_.empty()) return;
  if (options_.log_sink) options_.log_sink(std::move(log_));
  log_.clear();
  log_bytes_ = 0;
}

void Worker::log(Client& c, Fault fault) {
  if (c.log_namespace.empty() || !options_.log_sink) return;
  Access a{.fault = fault,
           .method = c.method,
           .path = c.path,
           .host = c.host,
           .request_id = c.request_id,
           .fwd = c.ip,
           .dyno = c.dyno,
           .status = c.status,
           .bytes = c.bytes,
           .tls = c.ssl != nullptr};
  if (c.connected >= 0) {
    a.connect_ms = c.connected - c.connect_started;
    a.service_ms = now_ - c.connected;
  }
  LogLine line{c.log_namespace, wall_ms_, {}};
  line.text.reserve(256);
  append_access(a, line.text);
  log_bytes_ += line.text.size();
  log_.push_back(std::move(line));
}

}  // namespace skiff::edge
