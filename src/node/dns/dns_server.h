// The cluster's name server: its own zone from memory, all else from the host's resolvers.
//
// Listens on UDP and TCP. Forwarded queries go to each resolver in turn; the answer's id and address are
// checked. Whoever asks is a tenant: queries under way and connections are bounded apart from each other and
// for each client, so that none can stop the others' names.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/file.h"
#include "io/scope.h"
#include "io/stream.h"
#include "io/sync.h"
#include "node/dns/client_quota.h"
#include "node/dns/zone.h"

namespace skiff::node {

struct DnsLimits {
  // Queries of datagrams under way to resolvers, each with a socket; more are dropped, clients ask again.
  size_t forwards = 512, forwards_of_client = 64;
  size_t connections = 256, connections_of_client = 16;  // more are closed
  Duration tcp_idle = std::chrono::seconds(10);  // for a query to come whole, and for an answer to be taken
  Duration tcp_life = std::chrono::minutes(2);   // of a connection, whatever it does
};

struct DnsOptions {
  std::string address;  // an IPv4 address of this machine
  uint16_t port = 53;
  std::string domain = "cluster.local";
  std::function<std::vector<std::string>()> resolvers;  // the host's, asked for each forwarded query
  uint16_t resolver_port = 53;
  DnsLimits limits = {};
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
  io::Task<void> forward_udp(std::string query, size_t limit, Client client, ClientQuota::Place place);
  io::Task<std::string> resolve(std::string query, size_t limit);
  io::Task<Result<std::string>> ask_resolvers(std::string query, size_t limit);
  io::Task<Result<std::string>> ask(std::string resolver, std::string query);
  io::Task<Result<std::string>> ask_tcp(std::string resolver, std::string query);
  io::Task<void> accept_tcp();
  io::Task<void> serve_tcp(std::unique_ptr<io::Stream> stream, ClientQuota::Place place);
  io::Task<Result<void>> answer_all(io::Stream* stream);
  void send(const std::string& packet, Client client);

  io::Loop& loop_;
  io::Network& network_;
  DnsOptions options_;
  ZoneObjects objects_;
  ClusterZone zone_;
  ClientQuota forwards_, connections_;
  io::UniqueFd socket_;
  std::unique_ptr<io::Listener> listener_;
  io::TaskScope scope_;
};

}  // namespace skiff::node
