#include "kube/client/api_error.h"

namespace skiff::kube {

namespace {

Code code_of(int status, const std::string& reason) {
  if (reason == "AlreadyExists") return Code::kAlreadyExists;
  if (reason == "Expired" || status == 410) return Code::kExpired;
  switch (status) {
    case 400:
    case 422:
      return Code::kInvalidArgument;
    case 401:
      return Code::kUnauthenticated;
    case 403:
      return Code::kForbidden;
    case 404:
      return Code::kNotFound;
    case 405:
    case 415:
      return Code::kUnimplemented;
    case 409:
      return Code::kConflict;
    case 413:
    case 507:
      return Code::kResourceExhausted;
    case 429:
    case 503:
      return Code::kUnavailable;
    case 504:
      return Code::kTimeout;
    default:
      return Code::kInternal;
  }
}

}  // namespace

Error error_from_status(int http_code, json::Value status) {
  const std::string message =
      status["message"].str_or("the API server answered " + std::to_string(http_code));
  const Code code = code_of(http_code, status["reason"].str());
  auto details = std::make_shared<StatusDetails>();
  details->status = std::move(status);
  details->http_code = http_code;
  return {code, message, std::move(details)};
}

Error error_from_answer(int http_code, std::string_view body) {
  auto value = json::parse(body);
  return error_from_status(http_code, value ? std::move(*value) : json::Value());
}

Result<WatchLine> parse_watch_line(std::string_view line) {
  auto value = json::parse(line);
  if (!value) return wrap(value.error(), "watch");
  const std::string& type = (*value)["type"].str();
  const json::Value& object = (*value)["object"];
  if (type == "ERROR") {
    return std::unexpected(error_from_status(static_cast<int>(object["code"].as_int()), object));
  }
  WatchLine out;
  out.revision = object["metadata"]["resourceVersion"].str();
  if (type == "ADDED" || type == "MODIFIED") out.change = ObjectChange{ObjectChange::Kind::kUpsert, object};
  if (type == "DELETED") out.change = ObjectChange{ObjectChange::Kind::kRemoved, object};
  return out;
}

}  // namespace skiff::kube
