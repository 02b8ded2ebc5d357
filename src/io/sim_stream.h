// Streams in memory for tests and simulations: a joined pair, and a network whose listeners are found by
// address.
//
// Bounded like a socket: a writer waits while its peer has kCapacity bytes unread. One loop, one thread.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "io/stream.h"
#include "io/sync.h"

namespace skiff::io {

// Two ends: what one writes the other reads.
std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>> make_sim_pair(Loop& loop);

// Outlives its listeners and streams' tasks.
class SimNetwork final : public Network {
 public:
  explicit SimNetwork(Loop& loop) : loop_(loop) {}
  // Unavailable when nobody listens there.
  Task<Result<std::unique_ptr<Stream>>> connect(Address address) override;
  // Port 0 gets a free one.
  Result<std::unique_ptr<Listener>> listen(const Address& address) override;
  // How many connections were made so far.
  size_t connections() const { return connections_; }

 private:
  using Arrivals = Channel<std::unique_ptr<Stream>>;
  class SimListener;

  Loop& loop_;
  std::map<std::string, std::weak_ptr<Arrivals>> listeners_;
  uint16_t last_port_ = 40000;
  size_t connections_ = 0;
};

}  // namespace skiff::io
