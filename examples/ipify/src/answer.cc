#include "answer.h"

#include <array>
#include <charconv>
#include <optional>

namespace ipify {
namespace {

struct Target {
  std::string_view path;
  std::string_view query;
};

// Both "/path?query" and the form that proxies are sent, "http://host/path?query".
Target split_target(std::string_view target) {
  if (const std::size_t scheme = target.find("://"); scheme != target.npos && !target.starts_with('/')) {
    const std::size_t path = target.find_first_of("/?", scheme + 3);
    target = path == target.npos ? std::string_view("/") : target.substr(path);
    if (target.starts_with('?')) return {"/", target.substr(1)};
  }
  const std::size_t mark = target.find('?');
  if (mark == target.npos) return {target, {}};
  return {target.substr(0, mark), target.substr(mark + 1)};
}

// The first value of `name`, still encoded; later ones are ignored, as api.ipify.org does.
std::optional<std::string_view> query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    const std::size_t equals = pair.find('=');
    if (pair.substr(0, equals) == name) {
      return equals == pair.npos ? std::string_view() : pair.substr(equals + 1);
    }
    if (end == query.npos) break;
    query.remove_prefix(end + 1);
  }
  return std::nullopt;
}

// A broken escape stays as it is: its '%' then fails whatever check follows.
std::string percent_decoded(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    const char* const digits = text.data() + i + 1;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
      plain += static_cast<char>(byte);
      i += 2;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

Answer plain_text(Status status, std::string_view text) {
  return {.status = status, .body = std::string(text) + "\n"};
}

std::string json(std::string_view address) {
  // An address has no character that JSON would escape.
  std::string text = R"({"ip":")";
  text += address;
  text += R"("})";
  return text;
}

Answer jsonp(std::string_view query, std::string_view address) {
  const auto given = query_value(query, "callback");
  const std::string callback = given ? percent_decoded(*given) : "callback";
  if (!is_callback(callback)) {
    return plain_text(Status::kBadRequest,
                      "callback must be a JavaScript name such as app.show_ip, of at most 128 characters.");
  }
  return {.content_type = "application/javascript", .body = callback + "(" + json(address) + ");"};
}

bool starts_identifier(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}

std::string_view status_line(Status status) {
  switch (status) {
    case Status::kOk:
      return "HTTP/1.1 200 OK\r\n";
    case Status::kBadRequest:
      return "HTTP/1.1 400 Bad Request\r\n";
    case Status::kNotFound:
      return "HTTP/1.1 404 Not Found\r\n";
    case Status::kMethodNotAllowed:
      return "HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD\r\n";
    case Status::kRequestTimeout:
      return "HTTP/1.1 408 Request Timeout\r\n";
    case Status::kUriTooLong:
      return "HTTP/1.1 414 URI Too Long\r\n";
    case Status::kHeadersTooLarge:
      return "HTTP/1.1 431 Request Header Fields Too Large\r\n";
    case Status::kVersionNotSupported:
      return "HTTP/1.1 505 HTTP Version Not Supported\r\n";
  }
  return "HTTP/1.1 500 Internal Server Error\r\n";
}

std::string_view connection_line(ConnectionHeader connection) {
  switch (connection) {
    case ConnectionHeader::kKeepUnasked:
      return "";
    case ConnectionHeader::kKeepAsked:
      return "Connection: keep-alive\r\n";
    case ConnectionHeader::kClose:
      return "Connection: close\r\n";
  }
  return "";
}

}  // namespace

Answer answer_for(const Request& request, std::string_view address) {
  if (request.method == Method::kOther) {
    return plain_text(Status::kMethodNotAllowed, "Only GET and HEAD are answered here.");
  }
  const Target target = split_target(request.target);
  if (target.path != "/") {
    return plain_text(Status::kNotFound, "Nothing is here. Ask for / to learn your IP address.");
  }
  const std::string_view format = query_value(target.query, "format").value_or("");
  if (format == "json") return {.content_type = "application/json", .body = json(address)};
  if (format == "jsonp") return jsonp(target.query, address);
  return {.body = std::string(address)};
}

Answer answer_for(const Refusal& refusal) {
  return plain_text(refusal.status, refusal.why);
}

bool is_callback(std::string_view text) {
  if (text.empty() || text.size() > kMaxCallbackChars) return false;
  bool at_start = true;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    if (c == '.' && !at_start) {
      at_start = true;
      continue;
    }
    if (!starts_identifier(c) && (at_start || !digit)) return false;
    at_start = false;
  }
  return !at_start;
}

std::string common_headers(std::string_view date) {
  // Any page may ask (CORS). The answer belongs to one client, so no cache may hand it to another, and no
  // browser may take the script of a JSONP answer for another type.
  return "Date: " + std::string(date) +
         "\r\n"
         "Access-Control-Allow-Origin: *\r\n"
         "Vary: Origin\r\n"
         "Cache-Control: no-store\r\n"
         "X-Content-Type-Options: nosniff\r\n";
}

void append_response(const Answer& answer, const Envelope& envelope, std::string& out) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), answer.body.size()).ptr;
  out += status_line(answer.status);
  out += "Content-Type: ";
  out += answer.content_type;
  out += "\r\nContent-Length: ";
  out.append(digits.data(), end);
  out += "\r\n";
  out += envelope.common_headers;
  out += connection_line(envelope.connection);
  out += "\r\n";
  if (envelope.body == BodyBytes::kSend) out += answer.body;
}

}  // namespace ipify
