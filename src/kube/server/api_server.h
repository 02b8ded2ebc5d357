// The Kubernetes API over a store: every request through authentication, authorization, the route, the
// objects.
//
// It opens no socket: give handler() to a net::HttpServer, or use local_client() in the same process. A
// simulation runs it on a SimLoop and a memory store. All on the loop's thread. The loop, store and registry
// outlive the server; the server outlives its handlers and clients.
//
//   ApiServer api(loop, *store, registry, options);
//   co_await api.bootstrap();                     // namespaces, roles; safe to repeat
//   net::HttpServer http(loop, listener, api.handler(), tls);
#pragma once

#include <memory>

#include "kube/client/client.h"
#include "kube/schema/schema.h"
#include "kube/server/server_options.h"
#include "net/http_server.h"
#include "store/store.h"

namespace skiff::kube {

class ApiServer {
 public:
  ApiServer(io::Loop& loop, store::Store& store, Registry& registry, ServerOptions options);
  ~ApiServer();
  // What must exist before the first client: system namespaces, bootstrap roles and bindings, the Service
  // default/kubernetes; kinds of stored CustomResourceDefinitions are served again.
  io::Task<Result<void>> bootstrap();
  // Writes default/kubernetes, kube-system/kube-dns and where they lead, if that is missing or differs: now
  // and then for as long as the server runs, since users may delete them.
  io::Task<Result<void>> keep_own_services();
  net::Handler handler();
  // The API for controllers of this process; authorized as `user`.
  std::unique_ptr<Client> local_client(UserInfo user);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A user of the group system:masters.
UserInfo master_user(std::string name);

}  // namespace skiff::kube
