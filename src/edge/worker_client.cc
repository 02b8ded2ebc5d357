// The client's side of a request: its head, its body, where it goes and how it ends.
#include <sys/epoll.h>

#include <algorithm>

#include "edge/worker.h"

namespace skiff::edge {
namespace {

bool is_idempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "PUT" ||
         method == "DELETE" || method == "TRACE";
}

}  // namespace

void Worker::on_client(Client& c, uint32_t events) {
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) return client_lost(c);
  if ((events & EPOLLRDHUP) != 0) c.hung_up = true;
  if ((events & (EPOLLIN | EPOLLRDHUP)) != 0) c.readable = true;
  if ((events & EPOLLOUT) != 0 && c.blocked()) {
    if (!c.flush()) return client_lost(c);
    if (!c.blocked() && c.upstream != nullptr) {
      c.upstream->readable = true;
      if (c.state == Client::State::kExchange) pump_response(c);
    }
  }
  if (!c.dead) drive(c);
}

void Worker::drive(Client& c) {
  switch (c.state) {
    case Client::State::kHead:
      if (!c.blocked()) read_head(c);
      return;
    case Client::State::kExchange:
      return pump_request(c);
    case Client::State::kTunnel:
      return pump_tunnel(c);
    case Client::State::kFlush:
      if (c.blocked()) return;
      c.shutdown_write();
      c.state = Client::State::kLinger;
      c.deadline = now_ + kLinger.count();
      [[fallthrough]];
    case Client::State::kLinger:
      while (c.readable) {
        size_t got = 0;
        const auto read = c.read(scratch_.data(), scratch_.size(), got);
        if (read == Conn::Read::kEnd || read == Conn::Read::kError) return end_client(c);
      }
      return;
    case Client::State::kHeld:
    case Client::State::kConnecting:
      return;
  }
}

void Worker::read_head(Client& c) {
  bool fresh = c.in.size() > c.scanned;  // left over from the request before
  for (;;) {
    std::string_view data = c.in;
    if (!fresh) {
      if (!c.readable) return;
      size_t got = 0;
      const auto read = c.read(scratch_.data(), scratch_.size(), got);
      if (read == Conn::Read::kAgain) return;
      if (read != Conn::Read::kData) return end_client(c);
      if (c.in.empty()) {
        data = std::string_view(scratch_.data(), got);
        c.deadline = now_ + kHeadTimeout.count();
      } else {
        c.in.append(scratch_.data(), got);
        data = c.in;
      }
    }
    fresh = false;
    while (c.scanned == 0 && data.starts_with("\r\n")) data.remove_prefix(2);
    switch (parse_request(data, c.scanned, request_head_)) {
      case Parse::kComplete:
        c.scanned = 0;
        return start_request(c, request_head_, data.substr(request_head_.bytes));
      case Parse::kBad:
        return refuse(c, request_head_);
      case Parse::kIncomplete:
        if (data.data() != c.in.data()) c.in = std::string(data);
        c.scanned = c.in.size();
        break;
    }
  }
}

void Worker::refuse(Client& c, const RequestHead& head) {
  c.keep_alive = false;
  answer(c, plain_response(head.error_status, reason_of(head.error_status), head.error, false));
}

void Worker::start_request(Client& c, const RequestHead& head, std::string_view rest) {
  c.method.assign(head.method);
  c.path.assign(head.target);
  c.host.assign(head.host);
  if (acceptable_request_id(head.request_id)) {
    c.request_id.assign(head.request_id);
  } else {
    c.request_id = make_uuid(random_);
  }
  c.keep_alive = head.keep_alive;
  c.minor = head.minor;
  c.to_head = head.method == "HEAD";
  c.idempotent = is_idempotent(head.method) && !head.upgrade;
  c.replayable = true;
  c.response_started = false;
  c.attempts = 0;
  c.status = 0;
  c.bytes = 0;
  c.last_fault = Fault::kNone;
  c.connected = -1;
  c.dyno.clear();
  c.log_namespace.clear();
  c.started = now_;
  c.body.start(head.framing, head.length);
  c.request.clear();
  append_request(head,
                 {.client_ip = c.ip,
                  .request_id = c.request_id,
                  .port = c.ssl != nullptr ? options_.https_port : options_.http_port,
                  .tls = c.ssl != nullptr,
                  .start_ms = wall_ms_},
                 c.request);
  const auto used = c.body.consume(rest);
  if (!used) {
    c.keep_alive = false;
    return answer(c, plain_response(400, "Bad Request", "bad chunk", false));
  }
  c.request.append(rest.substr(0, *used));
  const auto left = rest.substr(*used);
  if (left.empty()) {
    c.in.clear();
  } else {
    c.in = std::string(left);
  }
  route(c);
}

void Worker::route(Client& c) {
  if (c.state == Client::State::kHeld) {
    --held_;
    c.state = Client::State::kHead;
  }
  const auto path = std::string_view(c.path).substr(0, c.path.find('?'));
  const App* app = routes_->find(host_key(c.host), path);
  if (app == nullptr) {
    return answer(
        c, plain_response(404, "There is no app at this address",
                          "No app or Ingress has this host name. Check the address; if the app is yours, "
                          "skiff apps lists what there is.",
                          c.to_head));
  }
  c.log_namespace = app->log_namespace;
  c.platform = app->platform;
  serve(c, *app);
}

void Worker::serve(Client& c, const App& app) {
  if (app.maintenance) return fail(c, Fault::kH80);
  if (app.blank) return fail(c, Fault::kH81);
  const Endpoint* endpoint = choose(app);
  // A pod that just refused is asked once more by a new request, not by the one that it refused.
  const bool refused = endpoint != nullptr && target_of(*endpoint).quarantined_until > now_;
  if (endpoint != nullptr && (!refused || c.last_fault == Fault::kNone)) return attach(c, *endpoint);
  if (c.last_fault != Fault::kNone) return fail(c, c.last_fault);
  if (app.starting > 0 && held_ < kMaxHeld) {
    c.state = Client::State::kHeld;
    c.deadline = c.started + kHold.count();
    ++held_;
    return;
  }
  fail(c, app.crashed > 0 ? Fault::kH10 : (app.starting > 0 ? Fault::kH99 : Fault::kH14));
}

// Body bytes that came after the head.
void Worker::pump_request(Client& c) {
  while (c.upstream != nullptr && !c.body.done() && c.readable && !c.upstream->blocked()) {
    size_t got = 0;
    const auto read = c.read(scratch_.data(), scratch_.size(), got);
    if (read == Conn::Read::kAgain) return;
    if (read != Conn::Read::kData) return client_lost(c);
    const std::string_view data(scratch_.data(), got);
    const auto used = c.body.consume(data);
    if (!used) {
      c.keep_alive = false;
      return answer(c, plain_response(400, "Bad Request", "bad chunk", false));
    }
    c.in.append(data.substr(*used));
    if (c.replayable && c.request.size() + *used <= kReplayBytes) {
      c.request.append(data.substr(0, *used));
    } else {
      c.replayable = false;
    }
    c.deadline = now_ + (c.platform ? kPlatformWindow : c.body.done() ? kFirstByte : kIdleWindow).count();
    if (!c.upstream->write(data.substr(0, *used))) {
      // The pod may have answered before it hung up.
      c.upstream->readable = true;
      return pump_response(c);
    }
  }
}

void Worker::fail(Client& c, Fault fault) {
  release(c);
  c.status = fault_text(fault).status;
  if (c.response_started) {
    log(c, fault);
    return end_client(c);
  }
  c.keep_alive = false;
  log(c, fault);
  const auto response = fault_response(fault, c.request_id, c.to_head);
  c.log_namespace.clear();
  answer(c, response);
}

// An answer of the edge's own, then the end of the connection.
void Worker::answer(Client& c, std::string_view response) {
  release(c);
  if (!c.write(response)) return end_client(c);
  c.state = Client::State::kFlush;
  c.deadline = now_ + kHeadTimeout.count();
  drive(c);
}

// A whole response was sent on.
void Worker::finish(Client& c) {
  log(c, Fault::kNone);
  const bool reusable = c.keep_alive && c.body.done();
  release(c);
  if (!reusable) {
    c.state = Client::State::kFlush;
    c.deadline = now_ + kIdleWindow.count();
  } else {
    c.state = Client::State::kHead;
    c.scanned = 0;
    c.deadline = now_ + kClientIdle.count();
    if (c.in.empty() && !c.readable) return;
  }
  again_.push_back(&c);
}

void Worker::client_lost(Client& c) {
  const bool serving = c.state == Client::State::kExchange || c.state == Client::State::kConnecting ||
                       c.state == Client::State::kHeld;
  if (serving) {
    c.status = 499;
    log(c, Fault::kH27);
  } else if (c.state == Client::State::kTunnel) {
    log(c, Fault::kNone);
  }
  end_client(c);
}

void Worker::expire(Client& c) {
  switch (c.state) {
    case Client::State::kHead:
      if (c.in.empty()) return end_client(c);
      return answer(c,
                    plain_response(408, "Request Timeout", "the request head did not arrive in time", false));
    case Client::State::kHeld:
      return fail(c, Fault::kH20);
    case Client::State::kConnecting:
      return retry(c, Fault::kH19);
    case Client::State::kExchange:
      if (c.response_started) return fail(c, Fault::kH15);
      return fail(c, c.body.done() ? Fault::kH12 : Fault::kH28);
    case Client::State::kTunnel:
      return fail(c, Fault::kH15);
    case Client::State::kFlush:
    case Client::State::kLinger:
      return end_client(c);
  }
}

}  // namespace skiff::edge
