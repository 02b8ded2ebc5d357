#include "skiff/role_support.h"

#include "base/log.h"
#include "io/sync.h"
#include "skiff/memory.h"

namespace skiff {

namespace {
constexpr Duration kApiPause = std::chrono::milliseconds(50);
constexpr Duration kDrainGrace = std::chrono::seconds(2);
}  // namespace

Result<RoleContext> begin_role(const std::string& role, io::InheritedSockets sockets, int threads) {
  set_log_role(role);
  RoleContext context;
  context.loop = io::make_epoll_loop(threads);
  context.sockets = std::make_unique<io::InheritedSockets>(std::move(sockets));
  context.network = io::make_inheriting_network(*context.loop, *context.sockets);
  auto signals = watch_signals(*context.loop, [loop = context.loop.get()] { loop->stop(); });
  if (!signals) return std::unexpected(signals.error());
  context.signals = std::move(*signals);
  context.upkeep = std::make_unique<io::TaskScope>(*context.loop);
  context.upkeep->spawn(trim_memory(*context.loop));
  return context;
}

Result<net::ClientOptions> api_options(const Instance& instance, const std::string& identity) {
  auto authority = instance.authority();
  if (!authority) return std::unexpected(authority.error());
  auto pair = instance.key_pair(identity);
  if (!pair) return std::unexpected(pair.error());
  net::TlsClientOptions tls;
  tls.ca_pem = *authority;
  tls.certificate_pem = pair->certificate_pem;
  tls.key_pem = pair->key_pem;
  tls.server_name = "127.0.0.1";
  auto context = net::TlsClientContext::create(tls);
  if (!context) return std::unexpected(context.error());
  net::ClientOptions options;
  options.address = io::Address::tcp("127.0.0.1", instance.ports.kube);
  options.tls = *context;
  return options;
}

void drain_server(RoleContext& context, net::HttpServer& server) {
  // A second signal must not stop the loop before the drain is over.
  context.signals.reset();
  auto drained = io::block_on(*context.loop, server.drain(kDrainGrace));
  if (!drained) log_warn("requests were cut by the stop");
}

io::Task<void> wait_for_api(io::Loop& loop, kube::Client& api) {
  for (;;) {
    auto namespaces = co_await api.get("/api/v1/namespaces/default");
    if (namespaces) co_return;
    log_debug("waiting for the API server", {{"error", namespaces.error().message}});
    co_await io::sleep(loop, kApiPause);
  }
}

}  // namespace skiff
