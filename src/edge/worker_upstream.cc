// The pod's side of a request: connecting, what may be sent twice, the pool.
//
// A request is sent again when nothing of it can have been served: no connection came about, or the method is
// idempotent and its connection died before any byte of a response (RFC 9110 9.2.2). Whether a pod has served
// a POST before it hung up can't be known. So a request that can't be sent twice takes a pooled connection
// only when it is alive at this moment, was used within the last second, and belongs to a pod that is known
// to keep it; else it gets a new one.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "edge/worker.h"

namespace skiff::edge {
namespace {

constexpr uint32_t kBoth = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

void set_address(const Endpoint& endpoint, Target& target) {
  auto& four = reinterpret_cast<sockaddr_in&>(target.address);
  if (::inet_pton(AF_INET, endpoint.ip.c_str(), &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    four.sin_port = htons(endpoint.port);
    target.address_size = sizeof four;
    return;
  }
  auto& six = reinterpret_cast<sockaddr_in6&>(target.address);
  target.address = {};
  if (::inet_pton(AF_INET6, endpoint.ip.c_str(), &six.sin6_addr) != 1) return;
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(endpoint.port);
  target.address_size = sizeof six;
}

// No end, no error and no stray byte has arrived.
bool is_quiet(const Upstream& u) {
  char probe = 0;
  return ::recv(u.fd, &probe, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

}  // namespace

Target& Worker::target_of(const Endpoint& endpoint) {
  Target*& known = resolved_[&endpoint];
  if (known != nullptr) return *known;
  auto& target = targets_[endpoint.key()];
  if (!target) {
    target = std::make_unique<Target>();
    set_address(endpoint, *target);
  }
  known = target.get();
  return *known;
}

void Worker::attach(Client& c, const Endpoint& endpoint) {
  Target& target = target_of(endpoint);
  c.dyno.assign(endpoint.dyno);
  c.connect_started = now_;
  ++c.attempts;
  ++target.load.outstanding;
  Upstream* u = c.idempotent && c.body.done() ? take_idle(target) : take_trusted(target);
  if (u == nullptr) return connect_upstream(c, target);
  u->reused = true;
  u->client = &c;
  c.upstream = u;
  send_request(c);
}

Upstream* Worker::take_idle(Target& target) {
  while (!target.idle.empty()) {
    Upstream* u = target.idle.back();
    if (u->readable && !is_quiet(*u)) {
      drop_upstream(*u);
      continue;
    }
    target.idle.pop_back();
    --idle_upstreams_;
    return u;
  }
  return nullptr;
}

// The last used one that can be relied on; null when a new connection is safer.
Upstream* Worker::take_trusted(Target& target) {
  const Limits& limits = options_.limits;
  for (size_t i = target.idle.size(); i-- > 0;) {
    Upstream* u = target.idle[i];
    const int64_t age = now_ - u->idle_since;
    if (age > limits.upstream_trusted.count()) return nullptr;
    if (!u->proven && age < limits.upstream_proof.count()) continue;
    if (!is_quiet(*u)) {
      drop_upstream(*u);
      continue;
    }
    u->proven = true;
    target.idle.erase(target.idle.begin() + static_cast<std::ptrdiff_t>(i));
    --idle_upstreams_;
    return u;
  }
  return nullptr;
}

void Worker::connect_upstream(Client& c, Target& target) {
  auto* u = new Upstream;
  u->target = &target;
  u->client = &c;
  c.upstream = u;
  u->fd = ::socket(target.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (u->fd < 0) return fail(c, Fault::kH99);
  const int on = 1;
  ::setsockopt(u->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const int rc = ::connect(u->fd, reinterpret_cast<sockaddr*>(&target.address), target.address_size);
  // Out of local ports: no fault of the pod.
  if (rc != 0 && (errno == EADDRNOTAVAIL || errno == EAGAIN)) return fail(c, Fault::kH99);
  if (rc != 0 && errno != EINPROGRESS) return retry(c, Fault::kH21);
  if (!watch(*u, kBoth)) return fail(c, Fault::kH99);
  u->connecting = true;
  c.state = Client::State::kConnecting;
  c.deadline = now_ + options_.limits.connect.count();
}

void Worker::send_request(Client& c) {
  Upstream& u = *c.upstream;
  u.any_bytes = u.head_done = false;
  u.keep_alive = true;
  c.connected = now_;
  c.state = Client::State::kExchange;
  c.deadline = now_ + window(c).count();
  if (!u.write(c.request)) return upstream_lost(c, u, Conn::Read::kError);
  if (!c.body.done() && c.readable) pump_request(c);
}

// Before any byte of a response: a pod may still serve the request.
void Worker::retry(Client& c, Fault fault) {
  const bool unreachable = fault == Fault::kH21 || fault == Fault::kH19;
  if (unreachable) c.upstream->target->load.quarantined_until = now_ + options_.limits.quarantine.count();
  c.upstream->keep_alive = false;
  release(c);
  c.last_fault = fault;
  c.state = Client::State::kHead;
  if (!c.replayable || c.attempts >= kMaxAttempts) return fail(c, fault);
  route(c);
}

void Worker::on_upstream(Upstream& u, uint32_t events) {
  if (u.client == nullptr) {
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) drop_upstream(u);
    return;
  }
  if (u.connecting) return on_connected(u, events);
  Client& c = *u.client;
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) u.hung_up = true;
  if ((events & ~static_cast<uint32_t>(EPOLLOUT)) != 0) u.readable = true;
  if ((events & EPOLLOUT) != 0 && u.blocked() && c.state == Client::State::kExchange) {
    if (u.flush()) c.deadline = now_ + window(c).count();
    c.readable = true;
    pump_request(c);
    if (c.dead || c.upstream != &u) return;
  }
  if (c.state == Client::State::kTunnel) return pump_tunnel(c);
  pump_response(c);
}

void Worker::on_connected(Upstream& u, uint32_t events) {
  Client& c = *u.client;
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(u.fd, SOL_SOCKET, SO_ERROR, &error, &size);
    return retry(c, error == ETIMEDOUT ? Fault::kH19 : Fault::kH21);
  }
  if ((events & EPOLLOUT) == 0) return;
  u.connecting = false;
  send_request(c);
}

void Worker::upstream_lost(Client& c, Upstream& u, Conn::Read why) {
  if (c.response_started) {
    const bool complete = c.response_body.framing() == Framing::kUntilClose && why == Conn::Read::kEnd;
    return complete ? finish(c) : fail(c, Fault::kH18);
  }
  if (u.any_bytes) return fail(c, Fault::kH18);
  // A pod that dies of a request is not fed with it again and again.
  if (c.idempotent && (u.reused || c.losses++ == 0)) return retry(c, Fault::kH13);
  fail(c, Fault::kH13);
}

// Gives the pod's connection back to the pool, or ends it.
void Worker::release(Client& c) {
  Upstream* u = std::exchange(c.upstream, nullptr);
  if (u == nullptr) return;
  --u->target->load.outstanding;
  u->client = nullptr;
  const bool clean = u->head_done && u->keep_alive && c.response_body.done() && c.body.done() &&
                     !u->hung_up && !u->blocked() && u->in.empty() && c.state == Client::State::kExchange;
  if (!clean || u->target->idle.size() >= kMaxIdlePerEndpoint) return drop_upstream(*u);
  u->proven = u->proven || u->reused;
  u->idle_since = now_;
  u->target->idle.push_back(u);
  ++idle_upstreams_;
}

}  // namespace skiff::edge
