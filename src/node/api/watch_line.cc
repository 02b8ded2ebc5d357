#include "node/api/http_api.h"

namespace skiff::node {

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
    case 409:
      return Code::kConflict;
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

Error api_error(int status, const std::string& body) {
  auto value = json::parse(body);
  const json::Value document = value ? *value : json::Value();
  const std::string message = document["message"].str_or("the API server answered " + std::to_string(status));
  auto details = std::make_shared<kube::StatusDetails>();
  details->status = document;
  details->http_code = status;
  return {code_of(status, document["reason"].str()), message, std::move(details)};
}

Result<WatchLine> parse_watch_line(std::string_view line) {
  auto value = json::parse(line);
  if (!value) return wrap(value.error(), "watch");
  const std::string& type = (*value)["type"].str();
  const json::Value& object = (*value)["object"];
  if (type == "ERROR") {
    return std::unexpected(api_error(static_cast<int>(object["code"].as_int()), json::encode(object)));
  }
  WatchLine out;
  out.revision = object["metadata"]["resourceVersion"].str();
  if (type == "ADDED" || type == "MODIFIED") out.change = ObjectChange{ObjectChange::Kind::kUpsert, object};
  if (type == "DELETED") out.change = ObjectChange{ObjectChange::Kind::kRemoved, object};
  return out;
}

}  // namespace skiff::node
