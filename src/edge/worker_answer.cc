// How a request ends: with a whole response, with an answer of the edge's own, or cut; and its line.
#include <algorithm>

#include "edge/worker.h"

namespace skiff::edge {

void Worker::fail(Client& c, Fault fault) {
  const bool cut = c.response_started;
  release(c);
  if (!cut) c.status = fault_text(fault).status;
  log(c, fault);
  c.log_namespace.clear();
  if (cut) {
    // Framing shows the client that the message is cut short, except when its end is the connection's.
    if (c.response_body.ends_with_connection()) c.abort();
    return end_client(c);
  }
  c.keep_alive = false;
  const auto response = fault_response(fault, c.request_id, c.to_head);
  answer(c, response);
}

// An answer of the edge's own, then the end of the connection.
void Worker::answer(Client& c, std::string_view response) {
  release(c);
  if (!c.write(response)) return end_client(c);
  c.state = Client::State::kFlush;
  c.deadline = now_ + options_.limits.head.count();
  drive(c);
}

// A whole response was sent on.
void Worker::finish(Client& c) {
  log(c, Fault::kNone);
  const bool reusable = c.keep_alive && c.body.done();
  release(c);
  if (!reusable) {
    c.state = Client::State::kFlush;
    c.deadline = now_ + options_.limits.idle.count();
  } else {
    c.state = Client::State::kHead;
    c.scanned = 0;
    c.deadline = now_ + options_.limits.client_idle.count();
    if (c.in.empty() && !c.readable) return;
  }
  queue_again(c);
}

void Worker::flush_client(Client& c) {
  if (c.blocked()) return;
  if (c.ended) return end_client(c);
  c.shutdown_write();
  c.state = Client::State::kLinger;
  const Limits& limits = options_.limits;
  c.linger_end = now_ + (c.timed_out ? limits.linger_silence : limits.linger).count();
  linger(c);
}

void Worker::linger(Client& c) {
  c.deadline = std::min(c.linger_end, now_ + options_.limits.linger_silence.count());
  for (int i = 0; c.readable; ++i) {
    if (i == kReadsPerTurn) return queue_again(c);
    size_t got = 0;
    c.read(scratch_.data(), scratch_.size(), got);
    if (c.ended) return end_client(c);
  }
}

void Worker::log(Client& c, Fault fault) {
  if (c.log_namespace.empty() || options_.log_queue == nullptr) return;
  Access a{.fault = fault,
           .method = c.method,
           .path = c.path,
           .host = c.host,
           .request_id = c.request_id,
           .fwd = c.visitor_ip(),
           .dyno = c.dyno,
           .cause = c.cause,
           .status = c.status,
           .bytes = c.bytes,
           .tls = c.is_https()};
  if (c.connected >= 0) {
    a.connect_ms = c.connected - c.connect_started;
    a.service_ms = now_ - c.connected;
  }
  if (log_.empty()) log_since_ = now_;
  log_.add(c.log_namespace, wall_ms_, a);
}

void Worker::flush_logs() {
  if (log_.empty()) return;
  options_.log_queue->push(std::exchange(log_, {}));
}

}  // namespace skiff::edge
