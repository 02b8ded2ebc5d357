#include <algorithm>
#include <thread>

#include "base/log.h"
#include "edge/edge.h"
#include "io/pulse.h"
#include "skiff/role_support.h"
#include "skiff/roles.h"

namespace skiff {

namespace {

// Follows the cluster with a network of its own: both live as long as the control thread's loop needs them.
class OwnedClient final : public kube::Client {
 public:
  OwnedClient(io::Loop& loop, net::ClientOptions options)
      : network_(io::make_socket_network(loop)),
        client_(loop, *network_, {std::move(options), "", "skiff-edge"}) {}
  io::Task<Result<json::Value>> get(std::string path) override { return client_.get(std::move(path)); }
  io::Task<Result<json::Value>> list(std::string path, std::string query) override {
    return client_.list(std::move(path), std::move(query));
  }
  io::Task<Result<json::Value>> create(std::string path, json::Value object) override {
    return client_.create(std::move(path), std::move(object));
  }
  io::Task<Result<json::Value>> update(std::string path, json::Value object) override {
    return client_.update(std::move(path), std::move(object));
  }
  io::Task<Result<json::Value>> patch(std::string path, kube::PatchType type, json::Value patch) override {
    return client_.patch(std::move(path), type, std::move(patch));
  }
  io::Task<Result<void>> remove(std::string path, json::Value options) override {
    return client_.remove(std::move(path), std::move(options));
  }
  io::Task<void> follow(std::string path, std::string query, kube::ChangeCallback callback) override {
    return client_.follow(std::move(path), std::move(query), std::move(callback));
  }

 private:
  std::unique_ptr<io::Network> network_;
  kube::HttpClient client_;
};

Result<edge::BackendRules> backend_rules(const Instance& instance) {
  auto pods = parse_network(instance.pod_range);
  if (!pods) return std::unexpected(pods.error());
  auto allowed = edge::parse_allowed_backends(instance.edge.allowed_backends);
  if (!allowed) return std::unexpected(allowed.error());
  return edge::BackendRules{*pods, *allowed};
}

Result<edge::EdgeOptions> edge_options(const Instance& instance) {
  auto authority = instance.key_pair("edge-ca");
  if (!authority) return std::unexpected(authority.error());
  auto client = api_options(instance, "edge");
  if (!client) return std::unexpected(client.error());
  edge::EdgeOptions options;
  options.http = io::Address::tcp("", instance.ports.http);
  options.https = io::Address::tcp("", instance.ports.https);
  options.authority = *authority;
  options.domain = instance.domain;
  options.api_backend = io::Address::tcp("127.0.0.1", instance.platform_port);
  options.log_target = options.api_backend;
  options.log_token = instance.edge_token;
  auto backends = backend_rules(instance);
  if (!backends) return std::unexpected(backends.error());
  options.backends = *backends;
  auto proxies = parse_networks(instance.edge.trusted_proxies);
  if (!proxies) return std::unexpected(proxies.error());
  options.trusted_proxies = *proxies;
  options.proxy_protocol = instance.edge.proxy_protocol;
  options.platform_token = instance.edge_token;
  options.make_client = [client = *client](io::Loop& loop) {
    return std::make_unique<OwnedClient>(loop, client);
  };
  return options;
}

}  // namespace

Result<void> run_edge(const Instance& instance, io::InheritedSockets sockets) {
  auto context = begin_role("edge", std::move(sockets));
  if (!context) return std::unexpected(context.error());
  auto options = edge_options(instance);
  if (!options) return std::unexpected(options.error());
  options->http_sockets = context->sockets->take(options->http);
  options->https_sockets = context->sockets->take(options->https);
  edge::Edge edge(std::move(*options));
  SKIFF_RETURN_IF_ERROR(edge.start());
  io::say_ready();
  log_info("edge ready", {{"port", std::to_string(instance.ports.http)}});
  context->loop->run();
  edge.stop();
  return {};
}

}  // namespace skiff
