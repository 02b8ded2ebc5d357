#include "node/pod/net_prober.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/strings.h"
#include "io/sync.h"
#include "net/http_client.h"

namespace skiff::node {

namespace {

using Verdict = ProbeOutcome::Verdict;

constexpr size_t kMaxBody = 10 << 10;  // bytes of an answer that are read

// How long a server may take to end a connection that asks for nothing, before it is cut.
constexpr Duration kParting = std::chrono::seconds(1);
constexpr size_t kPartingBuffer = 1 << 10;

io::Task<Result<void>> read_to_end(io::Stream* stream) {
  std::array<char, kPartingBuffer> buffer{};
  for (;;) {
    auto read = co_await stream->read(buffer);
    SKIFF_CO_RETURN_IF_ERROR(read);
    if (*read == 0) co_return Result<void>{};
  }
}

std::string seconds_text(Duration limit) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(limit).count()) + "s";
}

}  // namespace

net::Request make_probe_request(const json::Value& get) {
  net::Request request;
  request.target = get["path"].str_or("/");
  if (request.target.front() != '/') request.target.insert(0, "/");
  const auto& own = get["httpHeaders"].items();
  for (const auto& [name, value] :
       {std::pair{"User-Agent", "kube-probe/1.32"}, {"Accept", "*/*"}, {"Connection", "close"}}) {
    const bool named = std::ranges::any_of(
        own, [&](const json::Value& header) { return equals_ignore_case(header["name"].str(), name); });
    if (!named) request.headers.add(name, value);
  }
  bool has_host = false;
  for (const auto& header : own) {
    const bool host = equals_ignore_case(header["name"].str(), "Host");
    if (host && std::exchange(has_host, true)) continue;
    request.headers.add(header["name"].str(), header["value"].str());
  }
  return request;
}

uint16_t resolve_port(const json::Value& container, const json::Value& port) {
  if (port.is_int()) return static_cast<uint16_t>(port.as_int());
  if (const auto number = parse_uint(port.str())) return static_cast<uint16_t>(*number);
  for (const auto& entry : container["ports"].items()) {
    if (entry["name"].str() == port.str()) return static_cast<uint16_t>(entry["containerPort"].as_int());
  }
  return 0;
}

io::Task<ProbeOutcome> NetProber::probe(ContainerKey key, std::string pod_ip, json::Value container,
                                        json::Value action, Duration limit) {
  if (action.contains("exec")) {
    auto outcome = co_await exec(std::move(key), action["exec"]["command"], limit);
    co_return outcome;
  }
  const bool http_get = action.contains("httpGet");
  const json::Value& target = http_get ? action["httpGet"] : action["tcpSocket"];
  if (target.is_null()) co_return ProbeOutcome{Verdict::kError, "this kind of probe is not supported"};
  const uint16_t port = resolve_port(container, target["port"]);
  if (port == 0) co_return ProbeOutcome{Verdict::kFailure, "unknown port"};
  const std::string host = target["host"].str_or(pod_ip);
  if (http_get) {
    auto outcome = co_await http(host, port, target, limit);
    co_return outcome;
  }
  auto outcome = co_await tcp(host, port, limit);
  co_return outcome;
}

io::Task<ProbeOutcome> NetProber::exec(ContainerKey key, json::Value command, Duration limit) {
  std::vector<std::string> argv;
  std::string words;
  for (const auto& word : command.items()) {
    argv.push_back(word.str());
    words += (words.empty() ? "" : " ") + word.str();
  }
  auto result = co_await runtime_.exec(std::move(key), std::move(argv), limit);
  if (!result && result.error().code == Code::kTimeout) {
    co_return ProbeOutcome{Verdict::kFailure,
                           "command timed out: \"" + words + "\" timed out after " + seconds_text(limit)};
  }
  if (!result) co_return ProbeOutcome{Verdict::kError, result.error().message};
  if (result->exit_code == 0) co_return ProbeOutcome{};
  co_return ProbeOutcome{Verdict::kFailure, result->output};
}

io::Task<ProbeOutcome> NetProber::tcp(std::string host, uint16_t port, Duration limit) {
  const auto address = io::Address::tcp(host, port);
  auto task = network_.connect(address);
  auto stream = co_await io::with_timeout(loop_, limit, std::move(task));
  if (stream) {
    scope_.spawn(part(this, std::move(*stream)));
    co_return ProbeOutcome{};
  }
  const bool late = stream.error().code == Code::kTimeout;
  co_return ProbeOutcome{Verdict::kFailure,
                         "dial tcp " + address.to_string() + ": " +
                             (late ? "i/o timeout" : "connect: " + stream.error().message)};
}

// A server that answers whoever connects must not write to a connection that is gone: that may be its end, by
// SIGPIPE. It reads the end of the request, and has a moment to say what it has to.
io::Task<void> NetProber::part(NetProber* self, std::unique_ptr<io::Stream> stream) {
  stream->shutdown_write();
  auto ended = co_await io::with_timeout(self->loop_, kParting, read_to_end(stream.get()));
}

io::Task<ProbeOutcome> NetProber::http(std::string host, uint16_t port, json::Value get, Duration limit) {
  net::ClientOptions options;
  options.address = io::Address::tcp(host, port);
  options.connect_timeout = limit;
  options.response_timeout = limit;
  options.max_body = kMaxBody;
  const bool secure = get["scheme"].str() == "HTTPS";
  if (secure) {
    net::TlsClientOptions tls;
    tls.server_name = host;
    // A container may sign for itself: a probe asks whether it answers, not who it is.
    tls.trust = net::Trust::kAnyServer;
    auto context = net::TlsClientContext::create(tls);
    if (!context) co_return ProbeOutcome{Verdict::kError, context.error().message};
    options.tls = *context;
  }
  const std::string url =
      (secure ? "https://" : "http://") + options.address.to_string() + get["path"].str_or("/");
  net::HttpClient client(loop_, network_, options);
  auto task = client.open(make_probe_request(get));
  auto response = co_await io::with_timeout(loop_, limit, std::move(task));
  if (!response) {
    const bool late = response.error().code == Code::kTimeout;
    co_return ProbeOutcome{Verdict::kFailure,
                           "Get \"" + url + "\": " +
                               (late ? "context deadline exceeded (Client.Timeout exceeded while "
                                       "awaiting headers)"
                                     : response.error().message)};
  }
  const int status = (*response)->head().status;
  if (status >= 200 && status < 400) co_return ProbeOutcome{};
  co_return ProbeOutcome{Verdict::kFailure, "HTTP probe failed with statuscode: " + std::to_string(status)};
}

}  // namespace skiff::node
