// The last step of every request: bodies, headers, forms.
#include <set>

#include "base/strings.h"
#include "io/sync.h"
#include "kube/print/table.h"
#include "kube/schema/protobuf.h"
#include "kube/server/negotiate.h"
#include "kube/server/routes.h"
#include "kube/server/status.h"
#include "kube/server/yaml_text.h"

namespace skiff::kube {

namespace {
constexpr size_t kMaxBody = 3 << 20;  // bytes, as upstream
constexpr Duration kBodyTime = std::chrono::minutes(1);
constexpr size_t kMaxDiscarded = 64 << 20;  // bytes of a larger body that are read and dropped

std::string quote(const std::string& text) {
  return "\"" + replace_all(replace_all(text, "\\", "\\\\"), "\"", "\\\"") + "\"";
}

net::Response encoded(const Exchange& exchange, int code, const json::Value& value) {
  const Encoding wanted = negotiate(exchange.request.headers.get("Accept")).encoding;
  net::Response response = net::Response::json(code, "");
  if (wanted == Encoding::kYaml) {
    response.body = encode_yaml(value);
    response.headers.set("Content-Type", "application/yaml");
    return response;
  }
  auto protobuf = wanted == Encoding::kProtobuf ? encode_protobuf(exchange.objects.registry(), value)
                                                : std::optional<std::string>();
  if (protobuf) response.headers.set("Content-Type", "application/vnd.kubernetes.protobuf");
  response.body = protobuf ? std::move(*protobuf) : json::encode(value);
  return response;
}
}  // namespace

bool Exchange::flag(std::string_view name) const {
  const auto value = request.query_parameter(name);
  return value && *value != "false" && *value != "0";
}

namespace {

io::Task<Result<std::string>> collect_body(Exchange* exchange) {
  BodyBudget::Share share(exchange->bodies, exchange->user.name);
  std::string text;
  for (;;) {
    auto piece = co_await exchange->body.read_some();
    SKIFF_CO_RETURN_IF_ERROR(piece);
    if (piece->empty()) co_return text;
    if (text.size() + piece->size() > kMaxBody)
      co_return fail(Code::kResourceExhausted, "the body is too large");
    if (!share.take(piece->size()))
      co_return std::unexpected(
          make_status_error(429, "TooManyRequests",
                            "Too many requests with large bodies are being read, please try again later.",
                            json::Value::object({{"retryAfterSeconds", 1}})));
    text += *piece;
  }
}

}  // namespace

io::Task<Result<std::string>> read_body(Exchange& exchange) {
  auto body = co_await io::with_timeout(exchange.objects.loop(), kBodyTime, collect_body(&exchange));
  if (!body && body.error().code == Code::kTimeout) {
    co_return std::unexpected(
        make_status_error(504, "Timeout", "Timeout: the body of the request did not arrive within a minute"));
  }
  if (body || body.error().code != Code::kResourceExhausted) co_return body;
  // A client that is still sending would meet a closed connection before it reads why.
  for (size_t seen = 0; seen < kMaxDiscarded;) {
    auto piece = co_await exchange.body.read_some();
    if (!piece || piece->empty()) break;
    seen += piece->size();
  }
  co_return std::unexpected(make_status_error(
      413, "RequestEntityTooLarge", "Request entity too large: limit is " + std::to_string(kMaxBody)));
}

io::Task<void> send_response(Exchange& exchange, net::Response response) {
  if (!response.headers.find("Cache-Control")) response.headers.set("Cache-Control", "no-cache, private");
  std::set<std::string> said;  // a write that was tried again finds the same once more
  for (const auto& warning : exchange.warnings) {
    if (said.insert(warning).second) response.headers.add("Warning", "299 - " + quote(warning));
  }
  auto sent = co_await exchange.writer.send(std::move(response));
  static_cast<void>(sent);  // the client is gone: nobody is left to tell
}

io::Task<void> send_json(Exchange& exchange, int code, json::Value value) {
  co_await send_response(exchange, encoded(exchange, code, value));
}

io::Task<void> send_text(Exchange& exchange, int code, std::string text) {
  net::Response response = net::Response::text(code, std::move(text));
  co_await send_response(exchange, std::move(response));
}

io::Task<void> send_error(Exchange& exchange, Error error) {
  StatusAnswer answer = answer_of(error);
  net::Response response = encoded(exchange, answer.code, answer.status);
  const int64_t retry = answer.status["details"]["retryAfterSeconds"].as_int();
  if (retry > 0) response.headers.set("Retry-After", std::to_string(retry));
  co_await send_response(exchange, std::move(response));
}

io::Task<void> send_object(Exchange& exchange, int code, json::Value object) {
  switch (negotiate(exchange.request.headers.get("Accept")).form) {
    case Form::kTable: {
      const json::Value metadata =
          json::Value::object({{"resourceVersion", object["metadata"]["resourceVersion"]}});
      const std::vector<json::Value> one{object};
      object = make_table(*exchange.kind, one, metadata, include_of(exchange.query("includeObject")),
                          exchange.objects.loop().wall_now());
      break;
    }
    case Form::kMetadata:
      object = partial_metadata(object);
      break;
    default:
      break;
  }
  co_await send_json(exchange, code, std::move(object));
}

}  // namespace skiff::kube
