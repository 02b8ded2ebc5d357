#include "kube/server/status.h"

#include "base/strings.h"
#include "kube/client/api_error.h"

namespace skiff::kube {

namespace {

json::Value details_of(std::string_view group, std::string_view plural, std::string_view name) {
  json::Value details = json::Value::object();
  if (!name.empty()) details.set("name", name);
  if (!group.empty()) details.set("group", group);
  if (!plural.empty()) details.set("kind", plural);
  return details;
}

std::string resource_text(std::string_view group, std::string_view plural) {
  return group.empty() ? std::string(plural) : std::string(plural) + "." + std::string(group);
}

std::pair<int, std::string_view> reason_of(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
      return {400, "BadRequest"};
    case Code::kNotFound:
      return {404, "NotFound"};
    case Code::kAlreadyExists:
      return {409, "AlreadyExists"};
    case Code::kConflict:
      return {409, "Conflict"};
    case Code::kForbidden:
      return {403, "Forbidden"};
    case Code::kUnauthenticated:
      return {401, "Unauthorized"};
    case Code::kUnavailable:
      return {503, "ServiceUnavailable"};
    case Code::kTimeout:
      return {504, "Timeout"};
    case Code::kResourceExhausted:
      return {413, "RequestEntityTooLarge"};
    case Code::kExpired:
      return {410, "Expired"};
    default:
      return {500, "InternalError"};
  }
}

}  // namespace

Error make_status_error(int code, std::string_view reason, std::string message, json::Value details) {
  json::Value status = json::Value::object({{"kind", "Status"},
                                            {"apiVersion", "v1"},
                                            {"metadata", json::Value::object()},
                                            {"status", "Failure"},
                                            {"message", std::move(message)}});
  if (!reason.empty()) status.set("reason", reason);
  if (!details.is_null()) status.set("details", std::move(details));
  status.set("code", code);
  return error_from_status(code, std::move(status));
}

Error not_found(std::string_view group, std::string_view plural, std::string_view name) {
  return make_status_error(404, "NotFound",
                           resource_text(group, plural) + " \"" + std::string(name) + "\" not found",
                           details_of(group, plural, name));
}

Error already_exists(const Kind& kind, const std::string& name) {
  return make_status_error(409, "AlreadyExists", kind.group_resource() + " \"" + name + "\" already exists",
                           details_of(kind.group, kind.plural, name));
}

Error conflict(const Kind& kind, const std::string& name, std::string message) {
  return make_status_error(
      409, "Conflict",
      "Operation cannot be fulfilled on " + kind.group_resource() + " \"" + name + "\": " + message,
      details_of(kind.group, kind.plural, name));
}

Error stale(const Kind& kind, const std::string& name) {
  return conflict(
      kind, name,
      "the object has been modified; please apply your changes to the latest version and try again");
}

Error bad_request(std::string message) {
  return make_status_error(400, "BadRequest", std::move(message));
}

Error invalid(const std::string& group, const std::string& kind, const std::string& name,
              const std::vector<FieldError>& errors) {
  std::vector<std::string> texts;
  json::Value causes = json::Value::array();
  for (const auto& error : errors) {
    texts.push_back(error.field + ": " + error.message);
    causes.push_back(
        json::Value::object({{"reason", error.reason}, {"message", error.message}, {"field", error.field}}));
  }
  const std::string list = texts.size() == 1 ? texts[0] : "[" + join(texts, ", ") + "]";
  json::Value details = details_of(group, kind, name);
  details.set("causes", std::move(causes));
  const std::string full = group.empty() ? kind : kind + "." + group;
  return make_status_error(422, "Invalid", full + " \"" + name + "\" is invalid: " + list,
                           std::move(details));
}

Error forbidden(std::string_view group, std::string_view plural, std::string_view name, std::string why) {
  std::string message = resource_text(group, plural);
  if (!name.empty()) message += " \"" + std::string(name) + "\"";
  return make_status_error(403, "Forbidden", message + " is forbidden: " + why,
                           details_of(group, plural, name));
}

Error no_such_resource() {
  return make_status_error(404, "NotFound", "the server could not find the requested resource",
                           json::Value::object());
}

Error method_not_allowed() {
  return make_status_error(405, "MethodNotAllowed",
                           "the server does not allow this method on the requested resource",
                           json::Value::object());
}

Error unsupported_body() {
  return make_status_error(415, "UnsupportedMediaType",
                           "the body of the request was in an unknown format - accepted media types include: "
                           "application/json, application/yaml, application/vnd.kubernetes.protobuf");
}

Error unsupported_patch(bool custom) {
  const std::string strategic = custom ? "" : "application/strategic-merge-patch+json, ";
  return make_status_error(415, "UnsupportedMediaType",
                           "the body of the request was in an unknown format - accepted media types include: "
                           "application/json-patch+json, application/merge-patch+json, " +
                               strategic + "application/apply-patch+yaml");
}

Error too_large_revision(std::string_view asked, int64_t current) {
  json::Value details = json::Value::object();
  details.set("causes",
              json::Value::array({json::Value::object(
                  {{"reason", "ResourceVersionTooLarge"}, {"message", "Too large resource version"}})}));
  details.set("retryAfterSeconds", 1);
  return make_status_error(
      504, "Timeout",
      "Timeout: Too large resource version: " + std::string(asked) + ", current: " + std::to_string(current),
      std::move(details));
}

StatusAnswer answer_of(const Error& error) {
  if (const auto* details = dynamic_cast<const StatusDetails*>(error.details.get())) {
    return {details->http_code, details->status};
  }
  const auto [code, reason] = reason_of(error.code);
  const Error made = make_status_error(code, reason, error.message);
  return {code, static_cast<const StatusDetails&>(*made.details).status};
}

std::string bad_integer(std::string_view text) {
  return "strconv.ParseInt: parsing " + json::encode(json::Value(text)) + ": invalid syntax";
}

json::Value created_status() {
  return json::Value::object({{"kind", "Status"},
                              {"apiVersion", "v1"},
                              {"metadata", json::Value::object()},
                              {"status", "Success"},
                              {"code", 201}});
}

json::Value success_status(const Kind& kind, const json::Value& object) {
  json::Value details = details_of(kind.group, kind.plural, object["metadata"]["name"].str());
  details.set("uid", object["metadata"]["uid"]);
  return json::Value::object({{"kind", "Status"},
                              {"apiVersion", "v1"},
                              {"metadata", json::Value::object()},
                              {"status", "Success"},
                              {"details", std::move(details)}});
}

}  // namespace skiff::kube
