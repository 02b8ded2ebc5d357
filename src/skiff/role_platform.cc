#include "base/log.h"
#include "io/pulse.h"
#include "io/sync.h"
#include "kube/client/patient_client.h"
#include "platform/platform.h"
#include "skiff/buildpacks.h"
#include "skiff/role_support.h"
#include "skiff/roles.h"

namespace skiff {

namespace {

Result<platform::PlatformOptions> platform_options(const Instance& instance) {
  auto token = instance.token();
  if (!token) return std::unexpected(token.error());
  auto api = api_options(instance, "platform");
  if (!api) return std::unexpected(api.error());
  platform::PlatformOptions options;
  options.data = instance.path("platform");
  options.images = instance.path("images");
  options.buildpacks = buildpacks_directory();
  options.domain = instance.domain;
  options.http_port = instance.ports.http;
  options.token = *token;
  options.edge_token = instance.edge_token;
  options.api = *api;
  options.git_control_group = "/skiff-" + instance.id + "/git";  // goes with those of the pods
  return options;
}

struct Serving {
  io::Loop& loop;
  kube::Client& api;
  platform::Platform& platform;
  io::Network& network;
  uint16_t port;
  std::unique_ptr<net::HttpServer> server = nullptr;
  Result<void> outcome = {};
};

io::Task<void> start_platform(Serving* serving) {
  co_await wait_for_api(serving->loop, serving->api);
  serving->outcome = co_await serving->platform.start();
  if (serving->outcome) {
    auto listener = serving->network.listen(io::Address::tcp("127.0.0.1", serving->port));
    if (listener) {
      serving->server =
          std::make_unique<net::HttpServer>(serving->loop, std::move(*listener), serving->platform.handler());
      io::say_ready();
      log_info("platform ready", {{"port", std::to_string(serving->port)}});
      co_return;
    }
    serving->outcome = std::unexpected(listener.error());
  }
  serving->loop.stop();
}

}  // namespace

Result<void> run_platform(const Instance& instance, io::InheritedSockets sockets) {
  auto context = begin_role("platform", std::move(sockets));
  if (!context) return std::unexpected(context.error());
  io::Loop& loop = *context->loop;
  auto client = api_options(instance, "platform");
  if (!client) return std::unexpected(client.error());
  auto options = platform_options(instance);
  if (!options) return std::unexpected(options.error());
  kube::HttpClient asking(loop, *context->network, {*client, "", "skiff-platform"});
  // People wait for what is asked here; the API server may be in the middle of a restart.
  kube::PatientClient api(loop, asking);
  platform::Platform platform(loop, *context->network, api, std::move(*options));
  Serving serving{loop, api, platform, *context->network, instance.platform_port};
  io::TaskScope scope(loop);
  scope.spawn(start_platform(&serving));
  loop.run();
  scope.cancel();
  if (serving.server) drain_server(*context, *serving.server);
  serving.server.reset();
  return serving.outcome;
}

}  // namespace skiff
