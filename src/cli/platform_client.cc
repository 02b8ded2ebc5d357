#include "cli/platform_client.h"

#include <fmt/core.h>

#include "io/sync.h"

namespace skiff::cli {

namespace {

constexpr int kFirstError = 400;
constexpr Duration kPause = std::chrono::milliseconds(250);  // between two tries

Code code_of_status(int status) {
  switch (status) {
    case 401:
      return Code::kUnauthenticated;
    case 403:
      return Code::kForbidden;
    case 404:
      return Code::kNotFound;
    case 409:
      return Code::kConflict;
    case 502:
    case 503:
    case 504:
      return Code::kUnavailable;
    default:
      return status < 500 ? Code::kInvalidArgument : Code::kInternal;
  }
}

std::unexpected<Error> error_of(int status, std::string_view body) {
  auto value = json::parse(body);
  std::string message = value ? (*value)["message"].str() : "";
  const Code code = code_of_status(status);
  if (message.empty()) {
    message = code == Code::kUnavailable ? "the platform is not ready; try again in a moment"
                                         : fmt::format("the platform answered {}", status);
  }
  if (value && (*value)["resource"].str() == "app") message += " `skiff apps` lists those there are.";
  return fail(code, std::move(message));
}

std::unexpected<Error> no_answer(const Error& error) {
  return fail(Code::kUnavailable,
              fmt::format("the platform does not answer ({}); `skiff up` starts it", error.message));
}

// Nobody listens where Skiff is not up: no use in waiting. An answer 503 with Retry-After says that nothing
// was begun.
bool may_ask_again(const std::string& method, const Result<net::Response>& response) {
  const bool question = method == "GET";
  if (!response)
    return question && response.error().code == Code::kUnavailable && !net::was_not_sent(response.error());
  const int status = response->status;
  if (status == 503 && response->headers.find("Retry-After")) return true;
  return question && (status == 502 || status == 503 || status == 504);
}

net::ClientOptions client_options(const PlatformAddress& platform) {
  net::ClientOptions options;
  options.address = platform.address;
  // The edge tells the Platform API from apps by this name.
  options.host = "localhost";
  return options;
}

}  // namespace

PlatformClient::PlatformClient(io::Loop& loop, io::Network& network, PlatformAddress address)
    : loop_(loop), token_(address.token), client_(loop, network, client_options(address)) {}

net::Request PlatformClient::request(std::string method, std::string path) const {
  net::Request request;
  request.method = std::move(method);
  request.target = std::move(path);
  request.headers.set("Accept", "application/vnd.heroku+json; version=3");
  request.headers.set("Authorization", "Bearer " + token_);
  return request;
}

io::Task<bool> PlatformClient::pause(std::string method, const Result<net::Response>* response,
                                     MonotonicTime begin) {
  if (!may_ask_again(method, *response) || loop_.now() - begin + kPause > kRestartPatience) co_return false;
  if (!told_) {
    fmt::print(stderr,
               " !     Skiff is not ready, a part of it may be restarting: waiting up to {} seconds\n",
               kRestartPatience / std::chrono::seconds(1));
  }
  told_ = true;
  co_await io::sleep(loop_, kPause);
  co_return true;
}

io::Task<Result<json::Value>> PlatformClient::call(std::string method, std::string path, json::Value body) {
  auto message = request(std::move(method), std::move(path));
  if (!body.is_null()) {
    message.headers.set("Content-Type", "application/json");
    message.body = json::encode(body);
  }
  const MonotonicTime begin = loop_.now();
  Result<net::Response> response = net::Response{};
  for (bool again = true; again;) {
    response = co_await client_.send(message);
    again = co_await pause(message.method, &response, begin);
  }
  if (!response) co_return no_answer(response.error());
  if (response->status >= kFirstError) co_return error_of(response->status, response->content());
  if (response->content().empty()) co_return json::Value();
  co_return json::parse(response->content());
}

io::Task<Result<void>> PlatformClient::stream(std::string path, std::string last_id,
                                              std::function<void(std::string_view)> take) {
  auto message = request("GET", std::move(path));
  message.headers.set("Accept", "text/event-stream");
  if (!last_id.empty()) message.headers.set("Last-Event-ID", last_id);
  auto opened = co_await client_.open(std::move(message));
  if (!opened) co_return no_answer(opened.error());
  const int status = (*opened)->head().status;
  if (status >= kFirstError) {
    auto text = co_await net::read_all((*opened)->body(), 64 << 10);
    co_return error_of(status, text.value_or(""));
  }
  for (;;) {
    auto piece = co_await (*opened)->body().read_some();
    SKIFF_CO_RETURN_IF_ERROR(piece);
    if (piece->empty()) co_return Result<void>{};
    take(*piece);
  }
}

}  // namespace skiff::cli
