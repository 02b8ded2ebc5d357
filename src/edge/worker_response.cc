// A pod's response on its way to the client.
#include "edge/worker.h"

namespace skiff::edge {

void Worker::pump_response(Client& c) {
  for (int i = 0; c.upstream != nullptr && c.upstream->readable && !c.blocked(); ++i) {
    if (i == kReadsPerTurn) return queue_again(c);
    Upstream& u = *c.upstream;
    size_t got = 0;
    const auto read = u.read(scratch_.data(), scratch_.size(), got);
    if (read == Conn::Read::kAgain) return;
    if (read != Conn::Read::kData) return upstream_lost(c, u, read);
    u.any_bytes = true;
    std::string_view data(scratch_.data(), got);
    if (u.head_done) {
      if (!take_response_body(c, u, {}, data)) return;
      c.deadline = now_ + window(c).count();
      continue;
    }
    std::string whole;
    if (!u.in.empty()) {
      whole = std::move(u.in.append(data));
      u.in.clear();
      data = whole;
    }
    if (!take_response_head(c, u, data)) return;
    c.deadline = now_ + (c.platform ? options_.limits.platform : options_.limits.idle).count();
  }
}

// `data` is all of the head that has come.
bool Worker::take_response_head(Client& c, Upstream& u, std::string_view data) {
  for (;;) {
    const auto parsed = parse_response(data, u.scanned, c.to_head, response_head_);
    u.scanned = 0;
    if (parsed == Parse::kIncomplete) {
      u.in.assign(data);
      u.scanned = data.size();
      return true;
    }
    if (parsed == Parse::kBad) {
      if (!response_head_.too_large) c.cause = response_head_.error;
      fail(c, response_head_.too_large ? Fault::kH25 : Fault::kH17);
      return false;
    }
    data.remove_prefix(response_head_.bytes);
    if (response_head_.status >= 200 || response_head_.status == 101)
      return take_final(c, u, response_head_, data);
    if (!take_interim(c, response_head_)) return false;
  }
}

bool Worker::take_interim(Client& c, const ResponseHead& head) {
  if (c.minor == 0) return true;  // HTTP/1.0 knows none
  head_out_.clear();
  append_response(head, After::kKeepAlive, Form::kChunks, head_out_);
  if (c.write(head_out_)) return true;
  client_lost(c);
  return false;
}

bool Worker::take_final(Client& c, Upstream& u, const ResponseHead& head, std::string_view data) {
  const bool switching = head.status == 101;
  if (switching && (!c.upgrade || !c.body.done())) {
    // What follows would be taken for something else.
    c.cause = "a switch of protocols that nobody asked for";
    fail(c, Fault::kH17);
    return false;
  }
  u.head_done = true;
  u.keep_alive = head.keep_alive;
  c.status = head.status;
  c.response_started = true;
  const Form form = c.minor == 0 ? Form::kContent : Form::kChunks;
  c.response_body.start(head.framing, head.length, Reading::kLenient, form);
  if (head.framing == Framing::kUntilClose || !c.body.done() || c.minor == 0) c.keep_alive = false;
  head_out_.clear();
  append_response(head, c.keep_alive ? After::kKeepAlive : After::kClose, form, head_out_);
  if (!switching) return take_response_body(c, u, head_out_, data);
  open_tunnel(c, head_out_, data);
  return false;
}

bool Worker::take_response_body(Client& c, Upstream& u, std::string_view head, std::string_view data) {
  const auto piece = c.response_body.consume(data, body_out_);
  if (!piece) {
    c.cause = c.response_body.error();
    c.response_started = head.empty();  // the pod's head did not go on yet
    fail(c, head.empty() ? Fault::kH18 : Fault::kH17);
    return false;
  }
  // More than the response, or an end that another reader may see elsewhere: nothing to trust.
  if (piece->used < data.size() || c.response_body.forgiven()) u.keep_alive = false;
  c.bytes += piece->out.size();
  const bool any = !head.empty() || !piece->out.empty();
  if (any && !c.write(head, piece->out)) {
    client_lost(c);
    return false;
  }
  if (c.response_body.done()) {
    finish(c);
    return false;
  }
  c.pace();
  return true;
}

}  // namespace skiff::edge
