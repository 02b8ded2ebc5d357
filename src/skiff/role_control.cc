#include "base/log.h"
#include "control/controllers.h"
#include "io/pulse.h"
#include "io/sync.h"
#include "kube/server/api_server.h"
#include "net/http_server.h"
#include "skiff/role_support.h"
#include "skiff/roles.h"
#include "store/store.h"

namespace skiff {

namespace {

// History that watchers may resume from; older revisions are forgotten.
constexpr Duration kCompactEvery = std::chrono::minutes(5);
constexpr Duration kKeepOwnServices = std::chrono::seconds(10);  // as upstream

Result<std::shared_ptr<net::TlsServerContext>> server_tls(const Instance& instance) {
  auto pair = instance.key_pair("server");
  if (!pair) return std::unexpected(pair.error());
  auto authority = instance.authority();
  if (!authority) return std::unexpected(authority.error());
  return net::TlsServerContext::create({pair->certificate_pem, pair->key_pem, *authority});
}

Result<kube::ServerOptions> server_options(const Instance& instance, io::Network& network) {
  kube::ServerOptions options;
  auto signer = instance.key_pair("service-account");
  if (!signer) return std::unexpected(signer.error());
  auto authority = instance.authority();
  if (!authority) return std::unexpected(authority.error());
  options.service_account_keys = *signer;
  options.authority_pem = *authority;
  options.service_range = instance.service_range;
  options.advertise_address = instance.gateway;
  options.secure_port = instance.ports.kube;
  options.machine_ports = {instance.ports.http, instance.ports.https, instance.platform_port};
  options.node_logs = {&network, io::Address::unix_socket(instance.node_log_socket()), instance.log_token};
  return options;
}

// Each round forgets what was history at the round before: a watcher has at least one period to resume.
io::Task<void> compact_history(io::Loop& loop, store::Store& store) {
  store::Revision mark = store.current();
  for (;;) {
    co_await io::sleep(loop, kCompactEvery);
    auto compacted = co_await store.compact(mark);
    if (!compacted) log_error("cannot compact the store", {{"error", compacted.error().message}});
    mark = store.current();
  }
}

// What leads pods to the API and to names is there again soon after somebody deleted it.
io::Task<void> keep_own_services(io::Loop& loop, kube::ApiServer& api) {
  for (;;) {
    co_await io::sleep(loop, kKeepOwnServices);
    auto kept = co_await api.keep_own_services();
    if (!kept) log_error("cannot keep default/kubernetes", {{"error", kept.error().message}});
  }
}

// What serves the API; made when the store is open.
struct Control {
  io::Loop& loop;
  store::Store& store;
  kube::ApiServer& api;
  control::Controllers& controllers;
  const Instance& instance;
  io::Network& network;
  std::shared_ptr<net::TlsServerContext> tls;
  std::unique_ptr<net::HttpServer> server = nullptr;
  Result<void> outcome = {};
};

io::Task<void> start_serving(Control* control) {
  control->outcome = co_await control->api.bootstrap();
  if (control->outcome) {
    auto listener = control->network.listen(io::Address::tcp("", control->instance.ports.kube));
    if (listener) {
      control->server = std::make_unique<net::HttpServer>(control->loop, std::move(*listener),
                                                          control->api.handler(), control->tls);
      control->controllers.start();
      io::say_ready();
      log_info("API server ready", {{"port", std::to_string(control->instance.ports.kube)}});
      co_return;
    }
    control->outcome = std::unexpected(listener.error());
  }
  control->loop.stop();
}

}  // namespace

Result<void> run_control(const Instance& instance, io::InheritedSockets sockets) {
  auto context = begin_role("control", std::move(sockets));
  if (!context) return std::unexpected(context.error());
  io::Loop& loop = *context->loop;
  auto store = store::open_sqlite_store(loop, instance.path("store.db"));
  if (!store) return std::unexpected(store.error());
  auto options = server_options(instance, *context->network);
  if (!options) return std::unexpected(options.error());
  auto tls = server_tls(instance);
  if (!tls) return std::unexpected(tls.error());
  const std::string root_ca = options->authority_pem;
  kube::Registry registry;
  kube::ApiServer api(loop, **store, registry, std::move(*options));
  auto client = api.local_client(kube::master_user("system:kube-controller-manager"));
  control::ControllersOptions controller_options;
  controller_options.root_ca = root_ca;
  controller_options.entrance = instance.domain == "localhost" ? "127.0.0.1" : instance.domain;
  control::Controllers controllers(loop, *client, std::move(controller_options));
  Control control{loop, **store, api, controllers, instance, *context->network, *tls};
  {
    io::TaskScope scope(loop);
    scope.spawn(start_serving(&control));
    scope.spawn(compact_history(loop, **store));
    scope.spawn(keep_own_services(loop, api));
    loop.run();
  }
  if (control.server) drain_server(*context, *control.server);
  controllers.stop();
  control.server.reset();
  return control.outcome;
}

}  // namespace skiff
