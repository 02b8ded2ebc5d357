#include "kube/server/log_proxy.h"

#include "base/strings.h"
#include "kube/server/status.h"
#include "net/http_client.h"

namespace skiff::kube {

namespace {

constexpr size_t kMaxError = 64 << 10;  // bytes of a refusal's text

// The container asked for, or the only one.
Result<std::string> container_of(const json::Value& pod, const std::string& asked) {
  std::vector<std::string> names, all;
  for (const char* list : {"containers", "initContainers", "ephemeralContainers"}) {
    for (const auto& container : pod["spec"][list].items()) {
      all.push_back(container["name"].str());
      if (std::string_view(list) == "containers") names.push_back(all.back());
    }
  }
  const std::string& name = pod["metadata"]["name"].str();
  if (asked.empty()) {
    if (names.size() == 1) return names[0];
    return std::unexpected(bad_request("a container name must be specified for pod " + name +
                                       ", choose one of: [" + join(names, " ") + "]"));
  }
  for (const auto& known : all) {
    if (known == asked) return asked;
  }
  return std::unexpected(bad_request("container " + asked + " is not valid for pod " + name));
}

// A whole number of the query; nothing when it is not given.
Result<std::optional<int64_t>> integer_of(const Exchange& exchange, const char* name) {
  const std::string text = exchange.query(name);
  if (text.empty()) return std::nullopt;
  const auto number = parse_int(text);
  if (!number) return std::unexpected(bad_request(bad_integer(text)));
  return number;
}

// PodLogOptions, as far as numbers can be wrong.
Result<void> check_log_options(const Exchange& exchange) {
  std::vector<FieldError> errors;
  static constexpr std::pair<const char*, int64_t> kLeast[] = {
      {"tailLines", 0}, {"limitBytes", 1}, {"sinceSeconds", 1}};
  for (const auto& [name, least] : kLeast) {
    auto number = integer_of(exchange, name);
    if (!number) return std::unexpected(number.error());
    if (!*number || **number >= least) continue;
    const char* bound = least == 0 ? "greater than or equal to 0" : "greater than 0";
    errors.push_back(
        {"FieldValueInvalid", name, "Invalid value: " + std::to_string(**number) + ": must be " + bound});
  }
  if (!exchange.query("sinceSeconds").empty() && !exchange.query("sinceTime").empty()) {
    errors.push_back({"FieldValueForbidden", "",
                      "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified"});
  }
  if (errors.empty()) return {};
  return std::unexpected(invalid("", "PodLogOptions", exchange.info.name, errors));
}

}  // namespace

io::Task<void> serve_log(Exchange& exchange) {
  auto fine = check_log_options(exchange);
  if (!fine) {
    co_await send_error(exchange, fine.error());
    co_return;
  }
  auto pod = exchange.objects.get(exchange.target());
  if (!pod) {
    co_await send_error(exchange, pod.error());
    co_return;
  }
  auto container = container_of(*pod, exchange.query("container"));
  if (!container) {
    co_await send_error(exchange, container.error());
    co_return;
  }
  if ((*pod)["spec"]["nodeName"].str().empty()) {
    net::Response nothing;
    nothing.status = 204;  // no node has it, so there is no log
    co_await send_response(exchange, std::move(nothing));
    co_return;
  }
  const NodeLogs& node = exchange.objects.options().node_logs;
  if (!node.network) {
    co_await send_error(exchange, make_status_error(503, "ServiceUnavailable", "no node agent serves logs"));
    co_return;
  }
  net::Request request;
  request.target = "/containerLogs/" + url_encode(exchange.info.name_space) + "/" +
                   url_encode(exchange.info.name) + "/" + url_encode(*container) + "?" +
                   std::string(exchange.request.query());
  if (!node.token.empty()) request.headers.set("Authorization", "Bearer " + node.token);
  net::ClientOptions options;
  options.address = node.address;
  options.host = "node";
  net::HttpClient client(exchange.objects.loop(), *node.network, options);
  auto stream = co_await client.open(std::move(request));
  if (!stream) {
    co_await send_error(
        exchange,
        make_status_error(500, "InternalError", "the node agent does not answer: " + stream.error().message));
    co_return;
  }
  const int status = (*stream)->head().status;
  if (status != 200) {
    auto text = co_await net::read_all((*stream)->body(), kMaxError);
    const std::string message(trim(text.value_or("")));
    Error refused = status == 400   ? bad_request(message)
                    : status == 404 ? make_status_error(404, "NotFound", message)
                                    : make_status_error(500, "InternalError", message);
    co_await send_error(exchange, std::move(refused));
    co_return;
  }
  net::Response head;
  head.headers.set("Content-Type", "text/plain");
  auto started = co_await exchange.writer.start(std::move(head));
  if (!started) co_return;
  for (;;) {
    auto piece = co_await (*stream)->body().read_some();
    if (!piece || piece->empty()) break;
    auto sent = co_await exchange.writer.write(*piece);
    if (!sent) co_return;
  }
  auto finished = co_await exchange.writer.finish();
  static_cast<void>(finished);
}

}  // namespace skiff::kube
