#include "platform/http/errors.h"

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

std::unexpected<Error> no_endpoint() {
  return fail(Code::kNotFound, "The requested API endpoint was not found: check its path and verb.");
}

}  // namespace skiff::platform
