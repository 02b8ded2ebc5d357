// The pod's side of a request: choosing one, connecting, its response, the pool.
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

// The less busy of two random pods; those that just refused only when there is no other.
const Endpoint* Worker::choose(const App& app) {
  const auto& all = app.ready.empty() ? app.serving : app.ready;
  if (all.size() == 1) return &all[0];
  const Endpoint* best = nullptr;
  for (int i = 0; i < 2 && !all.empty(); ++i) {
    const Endpoint& one = all[random_.below(all.size())];
    const Target& target = target_of(one);
    if (target.quarantined_until > now_) continue;
    if (best == nullptr || target.outstanding < target_of(*best).outstanding) best = &one;
  }
  if (best != nullptr) return best;
  for (const Endpoint& one : all) {
    if (target_of(one).quarantined_until <= now_) return &one;
  }
  return all.empty() ? nullptr : &all[random_.below(all.size())];
}

void Worker::attach(Client& c, const Endpoint& endpoint) {
  Target& target = target_of(endpoint);
  c.dyno = endpoint.dyno;
  c.connect_started = now_;
  ++c.attempts;
  while (!target.idle.empty()) {
    Upstream* u = target.idle.back();
    char probe = 0;
    // A request that can't be sent twice takes no connection that has ended already.
    if (!c.idempotent && ::recv(u->fd, &probe, 1, MSG_PEEK | MSG_DONTWAIT) >= 0) {
      drop_upstream(*u);
      continue;
    }
    target.idle.pop_back();
    --idle_upstreams_;
    u->reused = true;
    u->client = &c;
    c.upstream = u;
    ++target.outstanding;
    return send_request(c);
  }
  auto* u = new Upstream;
  u->target = &target;
  u->client = &c;
  c.upstream = u;
  ++target.outstanding;
  u->fd = ::socket(target.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (u->fd < 0) return fail(c, Fault::kH99);
  const int on = 1;
  ::setsockopt(u->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const int rc = ::connect(u->fd, reinterpret_cast<sockaddr*>(&target.address), target.address_size);
  if (rc != 0 && errno != EINPROGRESS) return retry(c, Fault::kH21);
  if (!watch(*u, kBoth)) return fail(c, Fault::kH99);
  u->connecting = true;
  c.state = Client::State::kConnecting;
  c.deadline = now_ + kConnectTimeout.count();
}

void Worker::send_request(Client& c) {
  Upstream& u = *c.upstream;
  u.any_bytes = u.head_done = false;
  u.keep_alive = true;
  c.connected = now_;
  c.state = Client::State::kExchange;
  c.deadline = now_ + (c.platform ? kPlatformWindow : c.body.done() ? kFirstByte : kIdleWindow).count();
  if (!u.write(c.request)) return upstream_lost(c, u);
  if (!c.body.done() && c.readable) pump_request(c);
}

// Before any byte of a response: another pod may still serve the request.
void Worker::retry(Client& c, Fault fault) {
  const bool stale = c.upstream != nullptr && c.upstream->reused;
  if (c.upstream != nullptr && !stale) c.upstream->target->quarantined_until = now_ + kQuarantine.count();
  if (c.upstream != nullptr) {
    c.upstream->keep_alive = false;
    c.upstream->head_done = false;
  }
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
  Client& c = *u.client;
  if (u.connecting) {
    if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
      int error = 0;
      socklen_t size = sizeof error;
      ::getsockopt(u.fd, SOL_SOCKET, SO_ERROR, &error, &size);
      return retry(c, error == ETIMEDOUT ? Fault::kH19 : Fault::kH21);
    }
    if ((events & EPOLLOUT) == 0) return;
    u.connecting = false;
    return send_request(c);
  }
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) u.hung_up = true;
  if ((events & ~static_cast<uint32_t>(EPOLLOUT)) != 0) u.readable = true;
  if ((events & EPOLLOUT) != 0 && u.blocked()) {
    if (!u.flush()) u.readable = true;
    if (c.state == Client::State::kExchange) {
      c.readable = true;
      pump_request(c);
      if (c.dead || c.upstream != &u) return;
    }
  }
  if (c.state == Client::State::kTunnel) return pump_tunnel(c);
  pump_response(c);
}

void Worker::upstream_lost(Client& c, Upstream& u) {
  if (c.response_started) {
    if (c.response_body.framing() == Framing::kUntilClose && !c.response_body.done()) return finish(c);
    return fail(c, Fault::kH18);
  }
  if (u.reused && !u.any_bytes && c.idempotent) return retry(c, Fault::kH13);
  fail(c, Fault::kH13);
}

void Worker::pump_response(Client& c) {
  while (c.upstream != nullptr && c.upstream->readable && !c.blocked()) {
    Upstream& u = *c.upstream;
    size_t got = 0;
    const auto read = u.read(scratch_.data(), scratch_.size(), got);
    if (read == Conn::Read::kAgain) return;
    if (read != Conn::Read::kData) return upstream_lost(c, u);
    u.any_bytes = true;
    c.deadline = now_ + (c.platform ? kPlatformWindow : kIdleWindow).count();
    std::string_view data(scratch_.data(), got);
    if (u.head_done) {
      if (!take_response_body(c, u, {}, data)) return;
      continue;
    }
    if (!u.in.empty()) {
      u.in.append(data);
      const std::string whole = std::move(u.in);
      u.in.clear();
      if (!take_response_head(c, u, whole)) return;
    } else if (!take_response_head(c, u, data)) {
      return;
    }
  }
}

// False when the exchange is over.
bool Worker::take_response_head(Client& c, Upstream& u, std::string_view data) {
  for (;;) {
    const auto parsed = parse_response(data, c.to_head, response_head_);
    if (parsed == Parse::kBad) {
      fail(c, Fault::kH17);
      return false;
    }
    if (parsed == Parse::kIncomplete) {
      u.in.assign(data);
      return true;
    }
    const ResponseHead& head = response_head_;
    data.remove_prefix(head.bytes);
    head_out_.clear();
    const bool interim = head.status < 200 && head.status != 101;
    if (interim) {
      if (c.minor == 1) append_response(head, After::kKeepAlive, head_out_);
      if (!head_out_.empty() && !c.write(head_out_)) {
        client_lost(c);
        return false;
      }
      continue;
    }
    u.head_done = true;
    u.keep_alive = head.keep_alive;
    c.status = head.status;
    c.response_started = true;
    c.response_body.start(head.framing, head.length);
    if (head.framing == Framing::kUntilClose || !c.body.done() || c.minor == 0) c.keep_alive = false;
    append_response(head, c.keep_alive ? After::kKeepAlive : After::kClose, head_out_);
    if (head.status == 101) {
      c.state = Client::State::kTunnel;
      if (!c.write(head_out_, data)) {
        client_lost(c);
        return false;
      }
      if (!c.in.empty()) u.write(std::exchange(c.in, {}));
      c.readable = true;
      pump_tunnel(c);
      return false;
    }
    return take_response_body(c, u, head_out_, data);
  }
}

bool Worker::take_response_body(Client& c, Upstream& u, std::string_view head, std::string_view data) {
  const auto used = c.response_body.consume(data);
  if (!used) {
    fail(c, Fault::kH18);
    return false;
  }
  if (*used < data.size()) u.keep_alive = false;  // more than the response: nothing to trust
  c.bytes += *used;
  if (!c.write(head, data.substr(0, *used))) {
    client_lost(c);
    return false;
  }
  if (!c.response_body.done()) return true;
  finish(c);
  return false;
}

void Worker::pump_tunnel(Client& c) {
  Upstream& u = *c.upstream;
  bool client_ended = false, pod_ended = false;
  if (u.blocked() && !u.flush()) pod_ended = true;
  if (c.blocked() && !c.flush()) client_ended = true;
  const bool moved = pump_one_way(c, u, client_ended);
  const bool back = pump_one_way(u, c, pod_ended);
  c.bytes = c.bytes + (back ? 1 : 0);
  if (moved || back) c.deadline = now_ + kIdleWindow.count();
  if (client_ended || pod_ended) {
    log(c, Fault::kNone);
    end_client(c);
  }
}

bool Worker::pump_one_way(Conn& from, Conn& to, bool& ended) {
  bool moved = false;
  while (from.readable && !to.blocked() && !ended) {
    size_t got = 0;
    const auto read = from.read(scratch_.data(), scratch_.size(), got);
    if (read == Conn::Read::kAgain) break;
    if (read != Conn::Read::kData || !to.write({scratch_.data(), got})) {
      ended = true;
      break;
    }
    moved = true;
  }
  return moved;
}

// Gives the pod's connection back to the pool, or ends it.
void Worker::release(Client& c) {
  Upstream* u = std::exchange(c.upstream, nullptr);
  if (u == nullptr) return;
  --u->target->outstanding;
  u->client = nullptr;
  const bool clean = u->head_done && u->keep_alive && c.response_body.done() && c.body.done() &&
                     !u->hung_up && !u->blocked() && u->in.empty() && c.state == Client::State::kExchange;
  if (!clean || u->target->idle.size() >= kMaxIdlePerEndpoint) return drop_upstream(*u);
  u->idle_since = now_;
  u->target->idle.push_back(u);
  ++idle_upstreams_;
}

}  // namespace skiff::edge
