#include "platform/platform.h"

#include "base/log.h"
#include "io/file.h"
#include "io/scope.h"
#include "platform/http/api.h"
#include "platform/logs/collector.h"

namespace skiff::platform {

struct Platform::Impl {
  Impl(io::Loop& l, io::Network& n, kube::Client& a, PlatformOptions o)
      : loop(l),
        network(n),
        options(std::move(o)),
        apps(l, a, options.domain),
        builder(l, n, a, apps,
                {options.data, options.images, options.buildpacks, options.host_ca_bundle, options.api}),
        repositories(l, options.data),
        logs(l, options.data + "/logs"),
        collector(l, n, a, logs, options.api, options.data + "/log-state"),
        api(l, apps, builder, repositories, logs,
            {options.domain, options.http_port, options.token, options.edge_token}) {}

  io::Loop& loop;
  io::Network& network;
  PlatformOptions options;
  Apps apps;
  Builder builder;
  Repositories repositories;
  LogStore logs;
  LogCollector collector;
  Api api;
  std::unique_ptr<net::HttpServer> hook_server;
};

Platform::Platform(io::Loop& loop, io::Network& network, kube::Client& api, PlatformOptions options)
    : impl_(std::make_unique<Impl>(loop, network, api, std::move(options))) {}

Platform::~Platform() = default;

static Result<void> make_folders(const std::string& data) {
  for (const char* name : {"git", "builds", "cache", "disks", "logs", "log-state"}) {
    SKIFF_RETURN_IF_ERROR(io::make_directories(data + "/" + name));
  }
  return {};
}

io::Task<Result<void>> Platform::start() {
  auto folders = make_folders(impl_->options.data);
  SKIFF_CO_RETURN_IF_ERROR(folders);
  auto builder = co_await impl_->builder.start();
  SKIFF_CO_RETURN_IF_ERROR(builder);
  auto listener = impl_->network.listen(io::Address::unix_socket(impl_->repositories.hook_socket()));
  SKIFF_CO_RETURN_IF_ERROR(listener);
  Impl* impl = impl_.get();
  impl_->hook_server = std::make_unique<net::HttpServer>(
      impl_->loop, std::move(*listener),
      [impl](const net::Request& request, net::BodyReader&, net::ResponseWriter& writer) {
        return impl->api.handle_hook(request, writer);
      });
  impl_->collector.start();
  co_return Result<void>{};
}

net::Handler Platform::handler() {
  Impl* impl = impl_.get();
  return [impl](const net::Request& request, net::BodyReader& body, net::ResponseWriter& writer) {
    return impl->api.handle(request, body, writer);
  };
}

}  // namespace skiff::platform
