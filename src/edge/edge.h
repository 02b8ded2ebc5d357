// The entrance for HTTP traffic: worker threads that proxy, and one control thread that follows the cluster.
//
//   Edge edge({.http = io::Address::tcp("", 80), .make_client = ...});
//   edge.start();   // returns when it listens
//   edge.stop();    // joins; running requests are cut, their lines and all
//   others are delivered
//
// start() and stop() belong to the owner's thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "edge/limits.h"
#include "edge/routes.h"
#include "io/file.h"
#include "io/loop.h"
#include "io/stream.h"
#include "kube/client/client.h"
#include "net/certificates.h"

namespace skiff::edge {

// Makes the API client on the control thread's loop, where it is used and dropped.
using ClientFactory = std::function<std::unique_ptr<kube::Client>(io::Loop&)>;

struct EdgeOptions {
  io::Address http;        // where to listen
  io::Address https;       // port 0: no TLS
  net::KeyPair authority;  // signs what is shown on `https`
  std::string domain = "localhost";
  io::Address api_backend;  // the platform's API, an IP address; port 0: none
  BackendRules backends;    // which addresses routes may lead to
  io::Address log_target;   // POST /logs goes there; port 0: lines are dropped
  std::string log_token;    // bearer token for it; "": none
  // Sockets that listen already on `http` and `https`, one a thread: then there are as many threads.
  std::vector<io::UniqueFd> http_sockets, https_sockets;
  // Peers whose X-Forwarded-* and Forwarded are believed and continued (visitor.h); with `proxy_protocol`
  // they begin each connection with its header, but those on loopback, which may leave it out.
  std::vector<IpNetwork> trusted_proxies;
  bool proxy_protocol = false;
  std::string platform_token;  // shown to the platform with each request (platform_door.h)
  int threads = 0;             // 0: one a CPU
  ClientFactory make_client;   // null: routes change by set_routes() alone
  RouteTable routes;           // until the cluster is known: meanwhile requests for other hosts are held
  Limits limits;
};

class Edge {
 public:
  explicit Edge(EdgeOptions options);
  ~Edge();
  Edge(const Edge&) = delete;
  // InvalidArgument for a bad authority, the system's error when an address can't be listened on.
  Result<void> start();
  void stop();
  // From any thread, between start() and stop().
  void set_routes(RouteTable routes);
  // The port in use, for listeners asked for on port 0 and for messages.
  uint16_t http_port() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace skiff::edge
