#include "platform/platform.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/strings.h"
#include "io/file.h"
#include "platform/apps/manifests.h"
#include "platform/apps/rollouts.h"
#include "platform/disk_care.h"
#include "platform/dynos/dyno_watch.h"
#include "platform/http/api.h"
#include "platform/logs/collector.h"
#include "platform/renames/renames.h"
#include "platform/resources/build_records.h"
#include "platform/resources/definitions.h"

namespace skiff::platform {

// ":8080" in the addresses shown, "" for HTTP's own port.
static std::string url_port(uint16_t port) {
  return port == 80 ? "" : fmt::format(":{}", port);
}

struct Platform::Impl {
  Impl(io::Loop& l, io::Network& n, kube::Client& a, PlatformOptions o)
      : loop(l),
        network(n),
        cluster(a),
        options(std::move(o)),
        apps(l, a, options.images, options.domain, url_port(options.http_port)),
        repositories(l, options.data, options.git_control_group),
        builder(l, n, a, apps, repositories.confinement(),
                {options.data, options.images, options.buildpacks, options.host_ca_bundle, options.api}),
        builds(l, a, options.data + "/build-output"),
        logs(l, options.data + "/logs"),
        collector(l, n, logs, options.api),
        pods(l, a, "/api/v1/pods", "labelSelector=" + url_encode(kProcessLabel)),
        dynos(l, a, pods, logs, collector),
        care(l, a, apps, {options.data, options.images}),
        rollouts(l, n, a, apps, pods, options.api),
        renames(l, a, apps, logs, {options.data, options.images}, watch()),
        api(l, {apps, builder, builds, repositories, logs, rollouts, renames},
            {url_port(options.http_port), options.token, options.edge_token, {options.data, options.images}}),
        scope(l) {}

  RenameWatch watch() {
    const auto work = [this](const std::string& app) -> std::string {
      if (builder.is_building(app)) return "a build of " + app;
      return repositories.has_push(app) ? "a push to " + app : "";
    };
    const auto found = [this](const std::string& app) -> std::optional<std::vector<json::Value>> {
      if (!pods.has_synced()) return std::nullopt;
      return pods.list(app);
    };
    return {work, found};
  }

  io::Loop& loop;
  io::Network& network;
  kube::Client& cluster;
  PlatformOptions options;
  Apps apps;
  Repositories repositories;
  Builder builder;
  BuildRecords builds;
  LogStore logs;
  LogCollector collector;
  kube::Informer pods;  // of all apps
  DynoWatch dynos;
  DiskCare care;
  Rollouts rollouts;
  Renames renames;
  Api api;
  std::unique_ptr<net::HttpServer> hook_server;
  io::TaskScope scope;  // the last: its tasks use the rest
};

Platform::Platform(io::Loop& loop, io::Network& network, kube::Client& api, PlatformOptions options)
    : impl_(std::make_unique<Impl>(loop, network, api, std::move(options))) {}

Platform::~Platform() = default;

static Result<void> make_folders(const std::string& data, const std::string& images) {
  for (const char* name : {"git", "builds", "cache", "disks", "logs"}) {
    SKIFF_RETURN_IF_ERROR(io::make_directories(data + "/" + name));
  }
  // Versions before this one made it readable for everybody.
  SKIFF_RETURN_IF_ERROR(io::make_directories(images));
  if (::chmod(images.c_str(), 0700) != 0) return fail_errno(errno, "chmod " + images);
  return {};
}

io::Task<Result<void>> Platform::start() {
  auto folders = make_folders(impl_->options.data, impl_->options.images);
  SKIFF_CO_RETURN_IF_ERROR(folders);
  auto repositories = impl_->repositories.start();
  SKIFF_CO_RETURN_IF_ERROR(repositories);
  auto definitions = co_await apply_definitions(impl_->loop, impl_->cluster);
  SKIFF_CO_RETURN_IF_ERROR(definitions);
  auto builder = co_await impl_->builder.start();
  SKIFF_CO_RETURN_IF_ERROR(builder);
  auto builds = co_await impl_->builds.start();
  SKIFF_CO_RETURN_IF_ERROR(builds);
  auto renames = co_await impl_->renames.start();
  SKIFF_CO_RETURN_IF_ERROR(renames);
  auto apps = co_await impl_->apps.list();
  SKIFF_CO_RETURN_IF_ERROR(apps);
  for (const auto& app : *apps) {
    const std::string name = app["metadata"]["name"].str();
    impl_->logs.begin(name);
    co_await impl_->logs.load(name);
  }
  auto swept = impl_->logs.sweep();
  SKIFF_CO_RETURN_IF_ERROR(swept);
  auto listener = impl_->network.listen(io::Address::unix_socket(impl_->repositories.hook_socket()));
  SKIFF_CO_RETURN_IF_ERROR(listener);
  auto opened = impl_->repositories.open_socket();
  SKIFF_CO_RETURN_IF_ERROR(opened);
  Impl* impl = impl_.get();
  impl_->hook_server = std::make_unique<net::HttpServer>(
      impl_->loop, std::move(*listener),
      [impl](const net::Request& request, net::BodyReader& body, net::ResponseWriter& writer) {
        return impl->api.handle_hook(request, body, writer);
      });
  impl_->scope.spawn(DiskCare::run(&impl_->care));
  impl_->apps.start();
  impl_->rollouts.start();
  impl_->pods.start();
  co_return Result<void>{};
}

net::Handler Platform::handler() {
  Impl* impl = impl_.get();
  return [impl](const net::Request& request, net::BodyReader& body, net::ResponseWriter& writer) {
    return impl->api.handle(request, body, writer);
  };
}

}  // namespace skiff::platform
