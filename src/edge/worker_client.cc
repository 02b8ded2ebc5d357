// The client's side of a request: its head, its body, and how its bytes go on.
#include <sys/epoll.h>

#include <algorithm>

#include "edge/platform_door.h"
#include "edge/worker.h"

namespace skiff::edge {

void Worker::on_client(Client& c, uint32_t events) {
  // Both directions ended is no loss when this one was ended here.
  if ((events & EPOLLERR) != 0 || ((events & EPOLLHUP) != 0 && !c.shut)) return client_lost(c);
  if ((events & (EPOLLRDHUP | EPOLLHUP)) != 0) c.hung_up = true;
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP)) != 0) c.readable = true;
  if ((events & EPOLLOUT) != 0 && c.blocked()) {
    const size_t before = c.out.size() - c.out_at;
    if (!c.flush()) return client_lost(c);
    // A slow reader may be slow, not silent.
    if (c.out.size() - c.out_at < before)
      c.deadline = std::max(c.deadline, now_ + options_.limits.idle.count());
    if (!c.blocked() && c.upstream != nullptr) c.upstream->readable = true;
  }
  drive(c);
}

void Worker::drive(Client& c) {
  switch (c.state) {
    case Client::State::kHead:
      if (!c.blocked()) read_head(c);
      return;
    case Client::State::kExchange:
      pump_request(c);
      if (!c.dead && c.state == Client::State::kExchange) pump_response(c);
      return;
    case Client::State::kTunnel:
      return pump_tunnel(c);
    case Client::State::kFlush:
      return flush_client(c);
    case Client::State::kLinger:
      return linger(c);
    case Client::State::kHeld:
      if (c.hung_up) route(c);
      return;
    case Client::State::kConnecting:
      return;
  }
}

// Empty lines before a request are forgiven (RFC 9112 2.2), but give nobody more time.
void Worker::read_head(Client& c) {
  if (c.preface && !take_preface(c)) return;
  bool fresh = c.in.size() > c.scanned;  // left over from the request before
  for (int reads = 0;;) {
    std::string_view data = c.in;
    if (!fresh) {
      if (!c.readable) return;
      if (reads++ == kReadsPerTurn) return queue_again(c);
      size_t got = 0;
      const auto read = c.read(scratch_.data(), scratch_.size(), got);
      if (read == Conn::Read::kAgain) return;
      if (read != Conn::Read::kData) return end_client(c);
      data = std::string_view(scratch_.data(), got);
      if (!c.in.empty()) data = c.in.append(data);
    }
    if (c.scanned <= 1 && data.starts_with("\r\n")) {
      c.scanned = 0;
      while (data.starts_with("\r\n")) data.remove_prefix(2);
    }
    if (!fresh && c.in.empty() && !data.empty() && data != "\r")
      c.deadline = now_ + options_.limits.head.count();
    fresh = false;
    switch (parse_request(data, c.scanned, request_head_)) {
      case Parse::kComplete:
        c.scanned = 0;
        return start_request(c, request_head_, data.substr(request_head_.bytes));
      case Parse::kBad:
        return refuse_head(c, request_head_);
      case Parse::kIncomplete:
        if (data.data() != c.in.data()) c.in = std::string(data);
        c.scanned = c.in.size();
        break;
    }
  }
}

void Worker::refuse_head(Client& c, const RequestHead& head) {
  reset_request(c, head);
  c.keep_alive = false;
  c.cause = head.error_status == 417 ? "unsupported expect header value" : "bad header";
  c.status = head.error_status;
  if (const App* app = routes_->find(host_key(c.host, host_buffer_), "/"))
    c.log_namespace = app->log_namespace;
  log(c, Fault::kH26);
  answer(c, plain_response(head.error_status, reason_of(head.error_status), head.error, false));
}

void Worker::refuse_body(Client& c, int status, std::string_view cause) {
  c.keep_alive = false;
  c.cause = cause;
  if (c.response_started) return fail(c, Fault::kH26);
  c.status = status;
  log(c, Fault::kH26);
  answer(c, plain_response(status, reason_of(status), cause, c.to_head));
}

void Worker::reset_request(Client& c, const RequestHead& head) {
  if (c.trusted) read_visitor(head, {c.ip, c.port, c.ssl != nullptr}, options_.trusted_proxies, c.visitor);
  c.method.assign(head.method);
  c.path.clear();
  append_target(head.target, c.path);
  c.host.assign(head.host);
  if (acceptable_request_id(head.request_id)) {
    c.request_id.assign(head.request_id);
  } else {
    assign_request_id(random_, c.request_id);
  }
  c.keep_alive = head.keep_alive;
  c.minor = head.minor;
  c.to_head = head.method == "HEAD";
  c.upgrade = head.upgrade;
  c.idempotent = is_idempotent(head.method) && !head.upgrade;
  c.replayable = true;
  c.response_started = false;
  c.attempts = c.losses = 0;
  c.status = 0;
  c.bytes = c.body_bytes = 0;
  c.last_fault = Fault::kNone;
  c.cause = {};
  c.connected = -1;
  c.dyno.clear();
  c.log_namespace.clear();
  c.platform = false;
  c.started = now_;
  c.request.clear();
}

void Worker::start_request(Client& c, const RequestHead& head, std::string_view rest) {
  reset_request(c, head);
  c.body.start(head.framing, head.length);
  const App* app = find_app(c);
  if (app != nullptr && app->platform && !may_ask_platform(c)) {
    c.keep_alive = false;
    return answer(c, insecure_response(c.host, c.path, options_.https_port, c.to_head));
  }
  write_request(c, head);
  const uint64_t max_body = options_.limits.max_body;
  if (max_body != 0 && head.length > max_body) return refuse_body(c, 413, "body too large");
  if (!rest.empty()) {
    Piece piece;
    const size_t head_bytes = c.request.size();
    if (!take_request_body(c, rest, piece)) return;
    c.request.append(piece.out);
    c.replayable = c.request.size() - head_bytes <= kReplayBytes;
    c.in = std::string(rest.substr(piece.used));
  } else {
    c.in.clear();
  }
  if (c.excess) return fail(c, Fault::kH22);
  serve(c, app);
}

void Worker::write_request(Client& c, const RequestHead& head) {
  ForwardFacts facts{.client_ip = c.ip,
                     .request_id = c.request_id,
                     .port = c.port,
                     .tls = c.is_https(),
                     .start_ms = wall_ms_};
  if (c.trusted) {
    facts.client_ip = c.visitor.chain;
    facts.port = c.visitor.port;
    facts.host = c.visitor.host;
    facts.forwarded = c.visitor.forwarded;
  }
  std::string visitor;
  if (c.platform && !options_.platform_token.empty()) {
    visitor = options_.platform_token + " " + std::string(c.visitor_ip());
    facts.visitor = visitor;
  }
  append_request(head, facts, c.request);
}

// Its token must not be readable on the way. A proxy that passes connections on stands for another machine.
bool Worker::may_ask_platform(const Client& c) const {
  if (c.is_https()) return true;
  const bool passed_on = c.relayed || (c.trusted && c.visitor.ip != c.ip);
  return !passed_on && is_local_peer(c.fd);
}

// False when the body is refused.
bool Worker::take_request_body(Client& c, std::string_view data, Piece& piece) {
  const auto taken = c.body.consume(data, body_out_);
  if (!taken) {
    refuse_body(c, 400, c.body.error());
    return false;
  }
  piece = *taken;
  c.body_bytes += piece.used;
  const uint64_t max_body = options_.limits.max_body;
  if (max_body != 0 && c.body_bytes > max_body) {
    refuse_body(c, 413, "body too large");
    return false;
  }
  return true;
}

Millis Worker::window(const Client& c) const {
  if (c.platform) return options_.limits.platform;
  const bool answer_due = c.state == Client::State::kExchange && !c.response_started && c.body.done();
  return answer_due ? options_.limits.first_byte : options_.limits.idle;
}

// Body bytes that came after the head.
void Worker::pump_request(Client& c) {
  for (int i = 0; c.upstream != nullptr && !c.body.done() && c.readable && !c.upstream->blocked(); ++i) {
    if (i == kReadsPerTurn) return queue_again(c);
    size_t got = 0;
    const auto read = c.read(scratch_.data(), scratch_.size(), got);
    if (read == Conn::Read::kAgain) return;
    if (read != Conn::Read::kData) return client_lost(c);
    Piece piece;
    if (!take_request_body(c, {scratch_.data(), got}, piece)) return;
    c.in.append(scratch_.data() + piece.used, got - piece.used);
    if (c.replayable && c.request.size() + piece.out.size() <= kReplayBytes) {
      c.request.append(piece.out);
    } else {
      c.replayable = false;
    }
    c.deadline = now_ + window(c).count();
    if (!piece.out.empty() && !c.upstream->write(piece.out)) {
      // The pod may have answered before it hung up.
      c.upstream->readable = true;
      return pump_response(c);
    }
  }
}

void Worker::client_lost(Client& c) {
  const bool serving = c.state == Client::State::kExchange || c.state == Client::State::kConnecting ||
                       c.state == Client::State::kHeld;
  if (serving) {
    c.status = fault_text(Fault::kH27).status;
    log(c, Fault::kH27);
  } else if (c.state == Client::State::kTunnel) {
    log(c, Fault::kNone);
  }
  end_client(c);
}

}  // namespace skiff::edge
