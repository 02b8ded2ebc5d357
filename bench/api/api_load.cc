// Load on the Kubernetes API of a running instance: durable creates of 1 KB ConfigMaps, then lists.
//   api_load <data directory> <connections> <seconds> creates|lists
// Prints one line of JSON. Connections are kept alive over TLS and spread over loops of their own threads, so
// that the generator is not the bottleneck.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/json.h"
#include "io/file.h"
#include "io/scope.h"
#include "net/http_client.h"
#include "net/tls.h"

using namespace skiff;
using Clock = std::chrono::steady_clock;

namespace {

constexpr int kConnectionsPerThread = 8;
constexpr size_t kObjectBytes = 1024;  // of the data in a ConfigMap
constexpr const char* kPath = "/api/v1/namespaces/bench/configmaps";

struct Settings {
  net::ClientOptions client;
  int connections = 1;
  Clock::duration length{};
  bool creates = true;
};

struct Tally {
  std::vector<double> latencies_ms;
  size_t failed = 0;
  size_t bytes = 0;  // of the last answer
  std::string first_error;
};

Result<net::ClientOptions> client_options(const std::string& data) {
  auto settings = io::read_file(data + "/instance.json");
  if (!settings) return std::unexpected(settings.error());
  auto parsed = json::parse(*settings);
  if (!parsed) return std::unexpected(parsed.error());
  auto authority = io::read_file(data + "/pki/ca.crt");
  auto certificate = io::read_file(data + "/pki/admin.crt");
  auto key = io::read_file(data + "/pki/admin.key");
  if (!authority || !certificate || !key) return fail(Code::kNotFound, "no keys in " + data + "/pki");
  auto tls = net::TlsClientContext::create({*authority, *certificate, *key, "127.0.0.1"});
  if (!tls) return std::unexpected(tls.error());
  net::ClientOptions options;
  options.address = io::Address::tcp("127.0.0.1", static_cast<uint16_t>((*parsed)["kubePort"].as_int()));
  options.tls = *tls;
  return options;
}

net::Request create_request(const std::string& name) {
  net::Request request;
  request.method = "POST";
  request.target = kPath;
  request.headers.set("Content-Type", "application/json");
  request.body = fmt::format(
      R"({{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"{}"}},"data":{{"value":"{}"}}}})", name,
      std::string(kObjectBytes, 'x'));
  return request;
}

net::Request list_request() {
  net::Request request;
  request.target = std::string(kPath) + "?limit=2000";
  return request;
}

// One connection: the next request as soon as the last is answered.
io::Task<void> drive(net::HttpClient* client, const Settings* settings, std::string prefix, Tally* tally) {
  net::Request hello;
  hello.target = "/version";
  auto connected = co_await client->send(std::move(hello));
  const auto end = Clock::now() + settings->length;
  for (int i = 0; Clock::now() < end; ++i) {
    auto request = settings->creates ? create_request(prefix + std::to_string(i)) : list_request();
    const auto start = Clock::now();
    auto response = co_await client->send(std::move(request));
    tally->latencies_ms.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
    const bool good = response && response->status < 300;
    if (good) {
      tally->bytes = response->content().size();
    } else {
      ++tally->failed;
      tally->first_error = response ? std::string(response->content()) : response.error().message;
    }
  }
}

void run_thread(const Settings& settings, int first, int count, Tally& tally) {
  auto loop = io::make_epoll_loop(1);
  auto network = io::make_socket_network(*loop);
  std::vector<std::unique_ptr<net::HttpClient>> clients;
  io::TaskScope scope(*loop);
  const auto stamp = std::chrono::system_clock::now().time_since_epoch().count();
  for (int i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<net::HttpClient>(*loop, *network, settings.client));
    scope.spawn(drive(clients.back().get(), &settings, fmt::format("o{:x}-{}-", stamp, first + i), &tally));
  }
  scope.when_empty([&] { loop->stop(); });
  loop->run();
}

void print(Tally& all, double seconds) {
  auto& times = all.latencies_ms;
  std::sort(times.begin(), times.end());
  if (times.empty()) times.push_back(0);
  fmt::print(R"({{"requests":{},"per_second":{:.1f},"p50_ms":{:.3f},"p99_ms":{:.3f},"failed":{},"bytes":{}}})"
             "\n",
             times.size(), static_cast<double>(times.size()) / seconds, times[times.size() / 2],
             times[times.size() * 99 / 100], all.failed, all.bytes);
  if (all.failed > 0) fmt::print(stderr, "the last failure: {}\n", all.first_error);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    fmt::print(stderr, "usage: api_load <data directory> <connections> <seconds> creates|lists\n");
    return 2;
  }
  Settings settings;
  auto client = client_options(argv[1]);
  if (!client) return fmt::print(stderr, "{}\n", client.error().message), 1;
  settings.client = *client;
  settings.connections = std::max(1, std::atoi(argv[2]));
  settings.length = std::chrono::milliseconds(static_cast<int>(std::atof(argv[3]) * 1000));
  settings.creates = std::string_view(argv[4]) == "creates";
  const int threads = (settings.connections + kConnectionsPerThread - 1) / kConnectionsPerThread;
  std::vector<Tally> tallies(static_cast<size_t>(threads));
  std::vector<std::thread> running;
  const auto start = Clock::now();
  for (int t = 0; t < threads; ++t) {
    const int first = t * kConnectionsPerThread;
    const int count = std::min(kConnectionsPerThread, settings.connections - first);
    running.emplace_back(
        [&, t, first, count] { run_thread(settings, first, count, tallies[static_cast<size_t>(t)]); });
  }
  for (auto& thread : running) thread.join();
  Tally all;
  for (const auto& tally : tallies) {
    all.latencies_ms.insert(all.latencies_ms.end(), tally.latencies_ms.begin(), tally.latencies_ms.end());
    all.failed += tally.failed;
    all.bytes = std::max(all.bytes, tally.bytes);
    if (!tally.first_error.empty()) all.first_error = tally.first_error;
  }
  print(all, std::chrono::duration<double>(Clock::now() - start).count());
}
