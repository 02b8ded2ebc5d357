// Probes for real: exec through the runtime, http and tcp over the network.
#pragma once

#include "io/scope.h"
#include "io/stream.h"
#include "net/http.h"
#include "node/pod/prober.h"

namespace skiff::node {

class NetProber final : public Prober {
 public:
  NetProber(io::Loop& loop, io::Network& network, Runtime& runtime)
      : loop_(loop), network_(network), runtime_(runtime), scope_(loop) {}
  io::Task<ProbeOutcome> probe(ContainerKey key, std::string pod_ip, json::Value container,
                               json::Value action, Duration limit) override;

 private:
  io::Task<ProbeOutcome> exec(ContainerKey key, json::Value command, Duration limit);
  io::Task<ProbeOutcome> tcp(std::string host, uint16_t port, Duration limit);
  static io::Task<void> part(NetProber* self, std::unique_ptr<io::Stream> stream);
  io::Task<ProbeOutcome> http(std::string host, uint16_t port, json::Value get, Duration limit);
  io::Loop& loop_;
  io::Network& network_;
  Runtime& runtime_;
  io::TaskScope scope_;  // connections that end
};

// Of an httpGet action: its headers as they are, and the usual ones where it has none of that name. Of
// several Host the first.
net::Request make_probe_request(const json::Value& get);

}  // namespace skiff::node
