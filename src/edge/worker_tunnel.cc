// After a 101 the edge carries bytes both ways. Each direction ends by itself: what was read is delivered
// before the end is passed on.
#include "edge/worker.h"

namespace skiff::edge {

void Worker::open_tunnel(Client& c, std::string_view head, std::string_view data) {
  c.state = Client::State::kTunnel;
  c.pace();
  c.deadline = now_ + window(c).count();
  c.bytes += data.size();
  if (!c.write(head, data)) return client_lost(c);
  if (!c.in.empty() && !c.upstream->write(std::exchange(c.in, {}))) c.upstream->ended = true;
  c.readable = true;
  pump_tunnel(c);
}

void Worker::pump_tunnel(Client& c) {
  Upstream& u = *c.upstream;
  uint64_t sent = 0;
  const Relay there = relay(c, u, sent);
  const Relay back = relay(u, c, c.bytes);
  if (there == Relay::kSourceLost || back == Relay::kSinkLost) return client_lost(c);
  if (there == Relay::kMoved || back == Relay::kMoved) c.deadline = now_ + window(c).count();
  if (there == Relay::kSinkLost)
    c.ended = true;  // nobody takes more; what the pod has sent is still delivered
  const bool pod_gone = there == Relay::kSinkLost || back == Relay::kSourceLost;
  if (!u.ended || (!pod_gone && (!c.ended || u.blocked()))) {
    const bool more = (c.readable && !c.ended && !u.blocked()) || (u.readable && !u.ended && !c.blocked());
    if (more) queue_again(c);
    return;
  }
  log(c, Fault::kNone);
  release(c);
  c.state = Client::State::kFlush;
  c.deadline = now_ + options_.limits.idle.count();
  flush_client(c);
}

Worker::Relay Worker::relay(Conn& from, Conn& to, uint64_t& bytes) {
  Relay result = Relay::kIdle;
  if (to.blocked() && !to.flush()) return Relay::kSinkLost;
  for (int i = 0; i < kReadsPerTurn && from.readable && !from.ended && !to.blocked(); ++i) {
    size_t got = 0;
    const auto read = from.read(scratch_.data(), scratch_.size(), got);
    if (read == Conn::Read::kError) return Relay::kSourceLost;
    if (read != Conn::Read::kData) break;
    bytes += got;
    if (!to.write({scratch_.data(), got})) return Relay::kSinkLost;
    result = Relay::kMoved;
  }
  if (from.ended && !to.blocked() && !to.shut) to.shutdown_write();
  return result;
}

}  // namespace skiff::edge
