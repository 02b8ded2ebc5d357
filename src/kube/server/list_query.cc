#include "kube/server/list_query.h"

#include <algorithm>
#include <limits>

#include "base/strings.h"
#include "kube/client/api_error.h"
#include "kube/server/status.h"

namespace skiff::kube {

namespace {

constexpr std::string_view kTokenVersion = "meta.k8s.io/v1";
constexpr int64_t kNewest = -1;  // a token's revision after one that was too old: the rest as it is now

Error bad_continue(const std::string& why) {
  return bad_request("invalid continue token: continue key is not valid: " + why);
}

Error list_options_error(std::string reason, std::string message) {
  return invalid("meta.k8s.io", "ListOptions", "",
                 {{std::move(reason), "resourceVersionMatch", std::move(message)}});
}

// base64url without padding to bytes.
std::optional<std::string> decode_token(std::string text) {
  text = replace_all(replace_all(std::move(text), "-", "+"), "_", "/");
  while (text.size() % 4 != 0) text += '=';
  return base64_decode(text);
}

Result<void> read_continue(const std::string& token, const std::string& prefix, store::ListOptions& out) {
  const auto bytes = decode_token(token);
  if (!bytes) return std::unexpected(bad_continue("illegal base64 data"));
  auto value = json::parse(*bytes);
  if (!value) return std::unexpected(bad_continue(value.error().message));
  const std::string& version = (*value)["v"].str();
  if (version != kTokenVersion) {
    return std::unexpected(bad_continue("server does not recognize this encoded version " + version));
  }
  std::string start = (*value)["start"].str();
  while (start.ends_with('\0')) start.pop_back();
  if (start.empty() || start.starts_with("..") || start.find("/..") != std::string::npos) {
    return std::unexpected(bad_continue(start));
  }
  out.start_after = prefix + start;
  const uint64_t beyond = std::numeric_limits<int64_t>::max();
  const json::Value& revision = (*value)["rv"];
  out.at = revision.kind() == json::Kind::kUint ? store::Revision{static_cast<int64_t>(beyond)}
                                                : store::Revision{std::max(revision.as_int(), int64_t{0})};
  return {};
}

Result<void> check_match(const std::string& match, const std::string& revision) {
  if (match.empty()) return {};
  if (match != "Exact" && match != "NotOlderThan") {
    return std::unexpected(list_options_error(
        "FieldValueNotSupported",
        "Unsupported value: \"" + match + "\": supported values: \"Exact\", \"NotOlderThan\", \"\""));
  }
  if (revision.empty()) {
    return std::unexpected(list_options_error(
        "FieldValueForbidden",
        "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"));
  }
  if (match == "Exact" && revision == "0") {
    return std::unexpected(list_options_error(
        "FieldValueForbidden",
        "Forbidden: resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""));
  }
  return {};
}

}  // namespace

Result<store::Revision> parse_revision(std::string_view text) {
  if (text.empty()) return store::Revision{};
  const auto number = parse_uint(text);
  // Beyond what a revision can be is the future, like every number that is not reached yet.
  constexpr uint64_t kLast = std::numeric_limits<int64_t>::max();
  if (number) return store::Revision{static_cast<int64_t>(std::min(*number, kLast))};
  const bool digits = text.find_first_not_of("0123456789") == std::string_view::npos;
  const std::string said = "resourceVersion: Invalid value: \"" + std::string(text) +
                           "\": strconv.ParseUint: parsing \"" + std::string(text) + "\": ";
  if (digits) return std::unexpected(bad_request(said + "value out of range"));
  return std::unexpected(make_status_error(500, "", said + "invalid syntax"));
}

std::string encode_continue(store::Revision revision, const std::string& last) {
  const json::Value token = json::Value::object(
      {{"v", kTokenVersion}, {"rv", store::number(revision)}, {"start", last + std::string(1, '\0')}});
  return base64url_encode(json::encode(token));
}

Result<store::ListOptions> parse_list_query(const net::Request& request, const std::string& prefix,
                                            store::Revision current) {
  store::ListOptions out;
  out.prefix = prefix;
  const auto limit = request.query_parameter("limit").value_or("");
  const auto number = parse_int(limit);
  if (!limit.empty() && !number) {
    return std::unexpected(bad_request(bad_integer(limit)));
  }
  if (number && *number > 0) out.limit = static_cast<size_t>(*number);
  const auto text = request.query_parameter("resourceVersion").value_or("");
  const auto match = request.query_parameter("resourceVersionMatch").value_or("");
  const auto token = request.query_parameter("continue").value_or("");
  if (!token.empty()) {
    SKIFF_RETURN_IF_ERROR(read_continue(token, prefix, out));
    if (out.at > current) {
      const int64_t asked = store::number(out.at);
      return std::unexpected(too_large_revision(std::to_string(asked), store::number(current)));
    }
    return out;
  }
  SKIFF_RETURN_IF_ERROR(check_match(match, text));
  auto revision = parse_revision(text);
  if (!revision) return std::unexpected(revision.error());
  if (*revision > current) return std::unexpected(too_large_revision(text, store::number(current)));
  const bool exact = match == "Exact" || (match.empty() && out.limit > 0 && store::number(*revision) > 0);
  if (exact) out.at = *revision;
  if (text == "0") out.limit = 0;  // from the cache, which has no pages
  return out;
}

Error list_error(const Error& error, const store::ListOptions& asked) {
  if (error.code != Code::kExpired) return error;
  if (asked.start_after.empty())
    return make_status_error(410, "Expired", "The resourceVersion for the provided list is too old.");
  const Error plain = make_status_error(
      410, "Expired",
      "The provided continue parameter is too old to display a consistent list result. You can start a new "
      "list without the continue parameter, or use the continue token in this response to retrieve the "
      "remainder of the results. Continuing with the provided token results in an inconsistent list - "
      "objects that were created, modified, or deleted between the time the first chunk was returned and "
      "now may show up in the list.");
  json::Value status = answer_of(plain).status;
  const std::string last = asked.start_after.substr(asked.prefix.size());
  status.edit("metadata").set("continue", encode_continue(store::Revision{kNewest}, last));
  return error_from_status(410, std::move(status));
}

}  // namespace skiff::kube
