#include "platform/http/errors.h"

#include <fmt/core.h>

namespace skiff::platform {

using json::Value;

namespace {

struct Shown {
  int status;
  const char* id;
};

Shown shown(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
    case Code::kAlreadyExists:
      return {422, "invalid_params"};
    case Code::kUnauthenticated:
      return {401, "unauthorized"};
    case Code::kForbidden:
      return {403, "forbidden"};
    case Code::kNotFound:
      return {404, "not_found"};
    case Code::kConflict:
      return {409, "conflict"};
    case Code::kResourceExhausted:
      return {413, "too_large"};
    case Code::kUnavailable:
    case Code::kTimeout:
      return {503, "service_unavailable"};
    default:
      return {500, "internal_server_error"};
  }
}

}  // namespace

net::Response json_response(int status, const Value& value) {
  return net::Response::json(status, json::encode(value));
}

net::Response error_response(const Error& error, std::string_view resource) {
  const Shown how = shown(error.code);
  Value body = Value::object({{"id", how.id}, {"message", error.message}});
  if (error.code == Code::kNotFound && !resource.empty()) body.set("resource", resource);
  return json_response(how.status, body);
}

namespace {
// What is not known is not absent: whoever asks may come again.
bool is_silence(const Error& error) {
  return error.code != Code::kNotFound && error.code != Code::kForbidden && error.code != Code::kConflict &&
         error.code != Code::kInvalidArgument;
}

net::Response come_again(net::Response response) {
  response.headers.set("Retry-After", "1");
  return response;
}

std::string describe_silence(const Error& error) {
  return "the Kubernetes API gives no answer (" + error.message + ")";
}
}  // namespace

net::Response git_without_app(const std::string& app, const Error& error) {
  if (error.code == Code::kNotFound) {
    return net::Response::text(404,
                               fmt::format("There is no app {}; make it with `skiff create {}`\n", app, app));
  }
  if (error.code == Code::kConflict) return net::Response::text(409, error.message + "\n");
  return come_again(net::Response::text(
      503, fmt::format(
               "Whether there is an app {} is not known now: {}. Nothing was pushed; try again in a moment\n",
               app, describe_silence(error))));
}

net::Response git_renamed_app(const std::string& app, const std::string& now, const std::string& git_url) {
  return net::Response::text(
      404, fmt::format("{} was renamed to {}: git remote set-url skiff {}\n", app, now, git_url));
}

net::Response json_without_app(const Error& error) {
  if (!is_silence(error)) return error_response(error, "app");
  Error silent = error;
  silent.code = Code::kUnavailable;
  silent.message = describe_silence(error) + "; nothing was done, try again in a moment";
  return come_again(error_response(silent));
}

std::unexpected<Error> no_endpoint() {
  return fail(Code::kNotFound, "The requested API endpoint was not found: check its path and verb.");
}

}  // namespace skiff::platform
