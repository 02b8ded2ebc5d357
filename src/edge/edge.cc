#include "edge/edge.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "edge/cluster_follower.h"
#include "edge/leaf_cache.h"
#include "edge/listen.h"
#include "edge/log_queue.h"
#include "edge/log_shipper.h"
#include "edge/tls_context.h"
#include "edge/worker.h"
#include "io/scope.h"
#include "net/http_client.h"

namespace skiff::edge {
namespace {

constexpr auto kLastLines = std::chrono::seconds(1);  // for the platform to take what is left at the end

}  // namespace

struct Edge::Impl {
  explicit Impl(EdgeOptions o) : options(std::move(o)) {}
  EdgeOptions options;
  std::unique_ptr<LeafCache> leaves;
  TlsContext tls;
  uint16_t http_port = 0;
  LogQueue log_queue;
  std::unique_ptr<Spread> spread;
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<std::thread> threads;
  std::unique_ptr<io::Loop> loop;
  std::thread control;
  LogShipper* shipper = nullptr;  // control thread

  RouteOptions route_options() const {
    return {options.domain, options.api_backend.host, options.api_backend.port, options.backends};
  }
  void publish(RouteTable table);
  void run_control();
  static io::Task<void> ship(LogShipper& shipper, io::Loop& loop);
  void finish_control();
  Result<void> open_workers();
  Result<WorkerOptions> open_listeners(size_t index);
  static Result<int> take_or_open(std::vector<io::UniqueFd>& held, size_t index, const io::Address& address,
                                  uint16_t port);
};

void Edge::Impl::publish(RouteTable table) {
  const auto shared = std::make_shared<const RouteTable>(std::move(table));
  if (leaves) leaves->set_routes(shared);
  for (auto& worker : workers) worker->set_routes(shared);
}

io::Task<void> Edge::Impl::ship(LogShipper& shipper, io::Loop& loop) {
  co_await shipper.run();
  loop.stop();
}

void Edge::Impl::run_control() {
  const auto network = io::make_socket_network(*loop);
  const auto client = options.make_client ? options.make_client(*loop) : nullptr;
  ClusterFollower follower(*loop, route_options(), [this](RouteTable table) { publish(std::move(table)); });
  if (client) follower.start(*client);
  net::ClientOptions log_options;
  log_options.address = options.log_target;
  net::HttpClient log_client(*loop, *network, log_options);
  LogShipper made(*loop, log_queue, log_client, options.log_token);
  io::TaskScope scope(*loop);
  if (options.log_target.port != 0) {
    shipper = &made;
    scope.spawn(ship(made, *loop));
  }
  loop->run();
}

void Edge::Impl::finish_control() {
  if (shipper == nullptr) return loop->stop();
  shipper->finish();
  loop->add_timer_after(kLastLines, [this] { loop->stop(); });
}

Result<int> Edge::Impl::take_or_open(std::vector<io::UniqueFd>& held, size_t index,
                                     const io::Address& address, uint16_t port) {
  if (index < held.size()) return held[index].release();
  return listen_on(address, port);
}

Result<WorkerOptions> Edge::Impl::open_listeners(size_t index) {
  const auto http = take_or_open(options.http_sockets, index, options.http, http_port);
  if (!http) return std::unexpected(http.error());
  http_port = port_of(*http);
  WorkerOptions worker{.http_fd = *http,
                       .tls = tls.get(),
                       .http_port = std::to_string(http_port),
                       .https_port = std::to_string(options.https.port),
                       .log_queue = options.log_target.port != 0 ? &log_queue : nullptr,
                       .trusted_proxies = options.trusted_proxies,
                       .proxy_protocol = options.proxy_protocol,
                       .platform_token = options.platform_token,
                       .limits = options.limits};
  if (tls) {
    const auto https = take_or_open(options.https_sockets, index, options.https, options.https.port);
    if (!https) {
      ::close(*http);
      return std::unexpected(https.error());
    }
    worker.https_fd = *https;
  }
  return worker;
}

Result<void> Edge::Impl::open_workers() {
  RouteTable table = options.routes.apps.empty() ? make_routes({}, route_options()) : options.routes;
  table.complete = options.routes.complete && !options.make_client;
  const auto routes = std::make_shared<const RouteTable>(std::move(table));
  if (options.https.port != 0) {
    leaves = std::make_unique<LeafCache>(options.authority, options.domain, routes);
    auto made = make_tls_context(*leaves);
    if (!made) return std::unexpected(made.error());
    tls = std::move(*made);
  }
  const int cpus = static_cast<int>(std::thread::hardware_concurrency());
  const int held = static_cast<int>(options.http_sockets.size());
  const int count = held > 0 ? held : std::max(options.threads > 0 ? options.threads : cpus, 1);
  http_port = options.http.port;
  spread = std::make_unique<Spread>(static_cast<size_t>(count));
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
    auto worker = open_listeners(i);
    if (!worker) return std::unexpected(worker.error());
    worker->spread = spread.get();
    worker->index = i;
    workers.push_back(std::make_unique<Worker>(std::move(*worker), routes));
    SKIFF_RETURN_IF_ERROR(workers.back()->open());
  }
  return {};
}

Edge::Edge(EdgeOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Edge::~Edge() {
  stop();
}
uint16_t Edge::http_port() const {
  return impl_->http_port;
}
void Edge::set_routes(RouteTable routes) {
  impl_->publish(std::move(routes));
}

Result<void> Edge::start() {
  ::signal(SIGPIPE, SIG_IGN);  // SSL_write has no MSG_NOSIGNAL
  raise_descriptor_limit();
  if (auto opened = impl_->open_workers(); !opened) {
    impl_->workers.clear();
    return wrap(opened.error(), "start the edge");
  }
  for (auto& worker : impl_->workers) impl_->threads.emplace_back([&worker] { worker->run(); });
  impl_->loop = io::make_epoll_loop(1);
  impl_->control = std::thread([impl = impl_.get()] { impl->run_control(); });
  return {};
}

void Edge::stop() {
  for (auto& worker : impl_->workers) worker->stop();
  for (auto& thread : impl_->threads) thread.join();
  impl_->threads.clear();
  // The workers live as long as the control thread, which gives them routes.
  for (auto& worker : impl_->workers) worker->cut_all();
  if (impl_->control.joinable()) {
    impl_->loop->post_remote([impl = impl_.get()] { impl->finish_control(); });
    impl_->control.join();
  }
  impl_->workers.clear();
}

}  // namespace skiff::edge
