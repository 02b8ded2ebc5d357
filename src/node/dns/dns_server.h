// The cluster's name server: its own zone from memory, all else from the host's resolvers.
//
// Listens on UDP and TCP. Forwarded queries go to each resolver in turn; the answer's id and address are
// checked.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/file.h"
#include "io/scope.h"
#include "io/stream.h"
#include "io/sync.h"
#include "node/dns/zone.h"

namespace skiff::node {

struct DnsOptions {
  std::string address;  // an IPv4 address of this machine
  uint16_t port = 53;
  std::string domain = "cluster.local";
  std::function<std::vector<std::string>()> resolvers;  // the host's, asked for each forwarded query
  uint16_t resolver_port = 53;
};
using ZoneObjects = std::function<ClusterZone::Objects()>;

class DnsServer final : public io::FdHandler {
 public:
  DnsServer(io::Loop& loop, io::Network& network, DnsOptions options, ZoneObjects objects);
  ~DnsServer() override;
  Result<void> listen();

  void on_readable() override;
  void on_writable() override {}

 private:
  struct Client {
    uint32_t address;
    uint16_t port;
  };
  std::optional<std::string> answer(const std::string& query, size_t limit);
  io::Task<void> forward_udp(std::string query, size_t limit, Client client);
  io::Task<std::string> resolve(std::string query, size_t limit);
  io::Task<Result<std::string>> ask_resolvers(std::string query, size_t limit);
  io::Task<Result<std::string>> ask(std::string resolver, std::string query);
  io::Task<Result<std::string>> ask_tcp(std::string resolver, std::string query);
  io::Task<void> accept_tcp();
  io::Task<void> serve_tcp(std::unique_ptr<io::Stream> stream);
  void send(const std::string& packet, Client client);

  io::Loop& loop_;
  io::Network& network_;
  DnsOptions options_;
  ZoneObjects objects_;
  ClusterZone zone_;
  io::UniqueFd socket_;
  std::unique_ptr<io::Listener> listener_;
  io::TaskScope scope_;
};

}  // namespace skiff::node
