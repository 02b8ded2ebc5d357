// What every role begins with: a loop, the network, signals, and the API as its own identity.
#pragma once

#include <memory>
#include <string>

#include "io/inherited.h"
#include "io/loop.h"
#include "io/scope.h"
#include "io/stream.h"
#include "kube/client/http_client.h"
#include "net/http_server.h"
#include "skiff/instance.h"
#include "skiff/signals.h"

namespace skiff {

struct RoleContext {
  std::unique_ptr<io::InheritedSockets> sockets;
  std::unique_ptr<io::Loop> loop;
  std::unique_ptr<io::Network> network;
  std::unique_ptr<SignalWatch> signals;
  std::unique_ptr<io::TaskScope> upkeep;
};

// Stops the loop at SIGTERM; trims the process's memory now and then. The network listens on `sockets` where
// it is told to. `threads` do the loop's blocking work.
Result<RoleContext> begin_role(const std::string& role, io::InheritedSockets sockets = {}, int threads = 4);
// The API server on loopback, with the certificate of `identity` ("node", "edge", "platform").
Result<net::ClientOptions> api_options(const Instance& instance, const std::string& identity);
// For the end of a role: lets the requests that have begun be answered.
void drain_server(RoleContext& context, net::HttpServer& server);
// Waits until the API server answers /readyz; the roles start in any order.
io::Task<void> wait_for_api(io::Loop& loop, kube::Client& api);

}  // namespace skiff
