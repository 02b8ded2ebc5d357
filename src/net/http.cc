#include "net/http.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/strings.h"

namespace skiff::net {

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (const auto& field : fields_) {
    if (equals_ignore_case(field.first, name)) return std::string_view(field.second);
  }
  return std::nullopt;
}

void Headers::add(std::string_view name, std::string_view value) {
  fields_.emplace_back(name, value);
}

void Headers::set(std::string_view name, std::string_view value) {
  const std::string kept(value);  // `value` may point into a field that is removed
  remove(name);
  fields_.emplace_back(name, kept);
}

void Headers::remove(std::string_view name) {
  const std::string kept(name);
  std::erase_if(fields_, [&](const auto& field) { return equals_ignore_case(field.first, kept); });
}

bool Headers::has_token(std::string_view name, std::string_view token) const {
  for (const auto& field : fields_) {
    if (!equals_ignore_case(field.first, name)) continue;
    for (const auto& piece : split(field.second, ',')) {
      if (equals_ignore_case(trim(piece), token)) return true;
    }
  }
  return false;
}

std::string_view Request::path() const {
  return std::string_view(target).substr(0, target.find('?'));
}

std::string_view Request::query() const {
  const size_t mark = target.find('?');
  return mark == std::string::npos ? std::string_view() : std::string_view(target).substr(mark + 1);
}

std::optional<std::string> Request::query_parameter(std::string_view name) const {
  for (const auto& pair : split(query(), '&')) {
    const Halves halves = split_once(pair, "=");
    const auto key = url_decode(halves.before, Plus::kIsSpace);
    if (key && *key == name) return url_decode(halves.after, Plus::kIsSpace);
  }
  return std::nullopt;
}

namespace {
Response make_response(int status, std::string_view type, std::string body) {
  Response response;
  response.status = status;
  response.headers.add("Content-Type", type);
  response.body = std::move(body);
  return response;
}
}  // namespace

Response Response::text(int status, std::string body) {
  return make_response(status, "text/plain; charset=utf-8", std::move(body));
}

Response Response::json(int status, std::string body) {
  return make_response(status, "application/json", std::move(body));
}

std::string_view status_text(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 402:
      return "Payment Required";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Entity";
    case 426:
      return "Upgrade Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Status";
  }
}

io::Task<Result<std::string>> read_all(BodyReader& body, size_t limit) {
  std::string all;
  for (;;) {
    auto piece = co_await body.read_some();
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty()) co_return all;
    if (piece->size() > limit - all.size()) {
      co_return fail(Code::kResourceExhausted, fmt::format("the body is larger than {} bytes", limit));
    }
    if (all.empty()) {
      all = std::move(*piece);
    } else {
      all.append(*piece);
    }
  }
}

}  // namespace skiff::net
