#include "cli/platform_client.h"

#include <fmt/core.h>

namespace skiff::cli {

namespace {

constexpr int kFirstError = 400;

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

net::ClientOptions client_options(const PlatformAddress& platform) {
  net::ClientOptions options;
  options.address = platform.address;
  // The edge tells the Platform API from apps by this name.
  options.host = "localhost";
  return options;
}

}  // namespace

PlatformClient::PlatformClient(io::Loop& loop, io::Network& network, PlatformAddress address)
    : token_(address.token), client_(loop, network, client_options(address)) {}

net::Request PlatformClient::request(std::string method, std::string path) const {
  net::Request request;
  request.method = std::move(method);
  request.target = std::move(path);
  request.headers.set("Accept", "application/vnd.heroku+json; version=3");
  request.headers.set("Authorization", "Bearer " + token_);
  return request;
}

io::Task<Result<json::Value>> PlatformClient::call(std::string method, std::string path, json::Value body) {
  auto message = request(std::move(method), std::move(path));
  if (!body.is_null()) {
    message.headers.set("Content-Type", "application/json");
    message.body = json::encode(body);
  }
  auto response = co_await client_.send(std::move(message));
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
