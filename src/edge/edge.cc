#include "edge/edge.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>

#include "base/log.h"
#include "edge/worker.h"
#include "io/sync.h"
#include "net/http_client.h"

namespace skiff::edge {
namespace {

constexpr auto kSettle = std::chrono::milliseconds(5);  // changes that come together make one table
constexpr auto kLogRetry = std::chrono::milliseconds(500);
constexpr size_t kLogBatchBytes = 512 << 10;
constexpr int kBacklog = 4096;

Result<int> listen_on(const io::Address& address, uint16_t port) {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_in6);
  auto& six = reinterpret_cast<sockaddr_in6&>(storage);
  auto& four = reinterpret_cast<sockaddr_in&>(storage);
  const bool any = address.host.empty();
  if (!any && ::inet_pton(AF_INET, address.host.c_str(), &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    size = sizeof four;
  } else {
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    if (!any && ::inet_pton(AF_INET6, address.host.c_str(), &six.sin6_addr) != 1) {
      return fail(Code::kInvalidArgument, "listen address " + address.host + " is no IP address");
    }
  }
  const int fd = ::socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail_errno(errno, "make a socket");
  const int on = 1, off = 0;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (storage.ss_family == AF_INET6) ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&storage), size) != 0 || ::listen(fd, kBacklog) != 0) {
    const int error = errno;
    ::close(fd);
    return fail_errno(error, fmt::format("listen on {}:{}", address.host, port));
  }
  return fd;
}

uint16_t port_of(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size);
  return ntohs(storage.ss_family == AF_INET ? reinterpret_cast<sockaddr_in&>(storage).sin_port
                                            : reinterpret_cast<sockaddr_in6&>(storage).sin6_port);
}

struct CtxDelete {
  void operator()(SSL_CTX* ctx) const { SSL_CTX_free(ctx); }
};
using Ctx = std::unique_ptr<SSL_CTX, CtxDelete>;

Result<Ctx> make_tls(const std::string& certificate, const std::string& key) {
  Ctx ctx(SSL_CTX_new(TLS_server_method()));
  if (!ctx) return fail(Code::kInternal, "OpenSSL has no server method");
  SSL_CTX_set_min_proto_version(ctx.get(), TLS1_2_VERSION);
  SSL_CTX_set_mode(ctx.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
  const std::unique_ptr<BIO, int (*)(BIO*)> chain(
      BIO_new_mem_buf(certificate.data(), static_cast<int>(certificate.size())), &BIO_free);
  X509* leaf = PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr);
  bool good = leaf != nullptr && SSL_CTX_use_certificate(ctx.get(), leaf) == 1;
  X509_free(leaf);
  while (X509* next = PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr))
    SSL_CTX_add_extra_chain_cert(ctx.get(), next);
  const std::unique_ptr<BIO, int (*)(BIO*)> secret(BIO_new_mem_buf(key.data(), static_cast<int>(key.size())),
                                                   &BIO_free);
  EVP_PKEY* parsed = PEM_read_bio_PrivateKey(secret.get(), nullptr, nullptr, nullptr);
  good = good && parsed != nullptr && SSL_CTX_use_PrivateKey(ctx.get(), parsed) == 1;
  EVP_PKEY_free(parsed);
  if (!good)
    return fail(Code::kInvalidArgument,
                "the edge's certificate or key can't be read; both must be PEM and belong together");
  return ctx;
}

// "<158>1 <time> <namespace> heroku router - <line>", with its length first (RFC 6587 octet counting).
void append_frame(const LogLine& line, std::string& out) {
  const WallTime time{std::chrono::milliseconds(line.unix_ms)};
  const auto text = fmt::format("<158>1 {} {} heroku router - {}\n", format_rfc3339_micro(time),
                                line.log_namespace, line.text);
  fmt::format_to(std::back_inserter(out), "{} {}", text.size(), text);
}

}  // namespace

struct Edge::Impl {
  explicit Impl(EdgeOptions o) : options(std::move(o)) {}
  EdgeOptions options;
  Ctx tls;
  uint16_t http_port = 0;
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<std::thread> threads;
  std::unique_ptr<io::Loop> loop;
  std::thread control;

  std::mutex log_mutex;  // guards log_queue and log_bytes
  std::vector<LogLine> log_queue;
  size_t log_bytes = 0;
  std::atomic<uint64_t> log_dropped{0};

  // Control thread.
  ClusterView view;
  int unsynced = 0;
  bool rebuild_planned = false;

  void take_logs(std::vector<LogLine> lines);
  void run_control();
  void on_change(Objects& objects, std::shared_ptr<Objects> incoming, bool& first,
                 const kube::ObjectChange& change);
  void plan_rebuild();
  void publish(RouteTable table);
  static io::Task<void> ship(Impl& self, net::HttpClient& client);
  Result<void> open_workers();
};

void Edge::Impl::take_logs(std::vector<LogLine> lines) {
  const std::lock_guard lock(log_mutex);
  for (auto& line : lines) {
    if (log_bytes + line.text.size() > kMaxLogQueue) {
      ++log_dropped;
      continue;
    }
    log_bytes += line.text.size();
    log_queue.push_back(std::move(line));
  }
}

io::Task<void> Edge::Impl::ship(Impl& self, net::HttpClient& client) {
  for (;;) {
    co_await io::sleep(*self.loop, std::chrono::milliseconds(100));
    net::Request request;
    {
      const std::lock_guard lock(self.log_mutex);
      size_t taken = 0;
      while (taken < self.log_queue.size() && request.body.size() < kLogBatchBytes) {
        self.log_bytes -= self.log_queue[taken].text.size();
        append_frame(self.log_queue[taken++], request.body);
      }
      self.log_queue.erase(self.log_queue.begin(),
                           self.log_queue.begin() + static_cast<std::ptrdiff_t>(taken));
    }
    if (request.body.empty()) continue;
    request.method = "POST";
    request.target = "/logs";
    request.headers.set("Content-Type", "application/logplex-1");
    if (!self.options.log_token.empty())
      request.headers.set("Authorization", "Bearer " + self.options.log_token);
    for (;;) {
      auto response = co_await client.send(request);
      // A 4xx will not become better; anything else is tried again while the queue is bounded.
      if (response && response->status < 500) break;
      co_await io::sleep(*self.loop, kLogRetry);
    }
  }
}

void Edge::Impl::publish(RouteTable table) {
  const auto shared = std::make_shared<const RouteTable>(std::move(table));
  for (auto& worker : workers) worker->set_routes(shared);
}

void Edge::Impl::plan_rebuild() {
  if (rebuild_planned || unsynced > 0) return;
  rebuild_planned = true;
  loop->add_timer_after(kSettle, [this] {
    rebuild_planned = false;
    publish(make_routes(view, {options.domain, options.api_backend.host, options.api_backend.port}));
  });
}

// A collection is replaced as a whole after a reset, so that a lost watch never empties the table.
void Edge::Impl::on_change(Objects& objects, std::shared_ptr<Objects> incoming, bool& first,
                           const kube::ObjectChange& change) {
  using Kind = kube::ObjectChange::Kind;
  const auto& meta = change.object["metadata"];
  const auto& ns = meta["namespace"].str();
  const std::string key = ns.empty() ? meta["name"].str() : ns + "/" + meta["name"].str();
  Objects& into = first ? *incoming : objects;
  switch (change.kind) {
    case Kind::kReset:
      incoming->clear();
      if (!first) ++unsynced;
      first = true;
      return;
    case Kind::kUpsert:
      into[key] = change.object;
      break;
    case Kind::kRemoved:
      into.erase(key);
      break;
    case Kind::kSynced:
      if (first) --unsynced;
      if (first) objects = std::exchange(*incoming, {});
      first = false;
      break;
  }
  plan_rebuild();
}

void Edge::Impl::run_control() {
  const auto network = io::make_socket_network(*loop);
  std::unique_ptr<kube::Client> client = options.make_client ? options.make_client(*loop) : nullptr;
  net::ClientOptions log_options;
  log_options.address = options.log_target;
  net::HttpClient log_client(*loop, *network, log_options);
  io::TaskScope scope(*loop);
  const std::pair<const char*, Objects*> follows[] = {
      {"/apis/networking.k8s.io/v1/ingresses", &view.ingresses},
      {"/api/v1/services", &view.services},
      {"/apis/discovery.k8s.io/v1/endpointslices", &view.slices},
      {"/api/v1/pods", &view.pods},
      {"/api/v1/namespaces", &view.namespaces}};
  if (client) {
    unsynced = static_cast<int>(std::size(follows));
    for (const auto& [path, objects] : follows) {
      auto first = std::make_shared<bool>(true);
      auto incoming = std::make_shared<Objects>();
      scope.spawn(
          client->follow(path, "", [this, objects, first, incoming](const kube::ObjectChange& change) {
            on_change(*objects, incoming, *first, change);
          }));
    }
  }
  if (options.log_target.port != 0) scope.spawn(ship(*this, log_client));
  loop->run();
}

Result<void> Edge::Impl::open_workers() {
  int count = options.threads > 0 ? options.threads : static_cast<int>(std::thread::hardware_concurrency());
  count = std::max(count, 1);
  if (options.https.port != 0) {
    auto made = make_tls(options.certificate_pem, options.key_pem);
    if (!made) return std::unexpected(made.error());
    tls = std::move(*made);
  }
  RouteTable table = options.routes;
  if (table.apps.empty())
    table = make_routes({}, {options.domain, options.api_backend.host, options.api_backend.port});
  const auto routes = std::make_shared<const RouteTable>(std::move(table));
  http_port = options.http.port;
  for (int i = 0; i < count; ++i) {
    const auto http = listen_on(options.http, http_port);
    if (!http) return std::unexpected(http.error());
    http_port = port_of(*http);
    WorkerOptions worker{.http_fd = *http,
                         .tls = tls.get(),
                         .http_port = std::to_string(http_port),
                         .https_port = std::to_string(options.https.port)};
    if (tls) {
      const auto https = listen_on(options.https, options.https.port);
      if (!https) return std::unexpected(https.error());
      worker.https_fd = *https;
    }
    if (options.log_target.port != 0) {
      worker.log_sink = [this](std::vector<LogLine> lines) { take_logs(std::move(lines)); };
    }
    workers.push_back(std::make_unique<Worker>(std::move(worker), routes));
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

Result<void> Edge::start() {
  ::signal(SIGPIPE, SIG_IGN);  // SSL_write has no MSG_NOSIGNAL
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
  impl_->workers.clear();
  if (impl_->control.joinable()) {
    impl_->loop->post_remote([impl = impl_.get()] { impl->loop->stop(); });
    impl_->control.join();
  }
}

}  // namespace skiff::edge
