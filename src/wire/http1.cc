#include "wire/http1.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/strings.h"
#include "wire/authority.h"

namespace skiff::wire {

namespace {

constexpr size_t kMaxFields = 512;  // far above what browsers send; bounds the work of a look-up

bool is_token_char(unsigned char c) {
  if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return true;
  return std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos;
}

bool is_value_char(unsigned char c) {
  return c == '\t' || (c >= 0x20 && c != 0x7f);
}

std::unexpected<Error> malformed(std::string message) {
  return fail(Code::kInvalidArgument, std::move(message));
}

// "HTTP/1.x" to x; what is newer than 1.1 is served as 1.1 (RFC 9110 2.5).
Result<int> parse_version(std::string_view text) {
  if (text.size() != 8 || !text.starts_with("HTTP/") || text[6] != '.') {
    return malformed("the message does not name an HTTP version where one belongs");
  }
  if (text[5] != '1' || text[7] < '0' || text[7] > '9') {
    return fail(Code::kUnimplemented, "only HTTP/1.0 and HTTP/1.1 are spoken here");
  }
  return text[7] == '0' ? 0 : 1;
}

std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

Result<void> parse_field(std::string_view line, Fields& fields) {
  if (line.front() == ' ' || line.front() == '\t') {
    return malformed("a header line starts with a blank: folded headers are not allowed");
  }
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return malformed("a header line has no colon");
  const std::string_view name = line.substr(0, colon);
  if (!is_token(name)) return malformed("a header name is empty or has a character that is not allowed");
  const std::string_view value = trim_blanks(line.substr(colon + 1));
  if (!std::ranges::all_of(value, is_value_char)) {
    return malformed(fmt::format("the header \"{}\" has a control character in its value", name));
  }
  if (fields.size() >= kMaxFields) {
    return fail(Code::kResourceExhausted, fmt::format("the message has more than {} headers", kMaxFields));
  }
  fields.emplace_back(name, value);
  return {};
}

// Splits off the first line; the head is known to consist of whole CRLF lines.
std::string_view next_line(std::string_view& rest) {
  const size_t end = rest.find("\r\n");
  if (end == std::string_view::npos) return std::exchange(rest, {});
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 2);
  return line;
}

Result<void> parse_fields(std::string_view rest, Fields& fields) {
  while (!rest.empty()) {
    const std::string_view line = next_line(rest);
    if (line.empty()) break;
    SKIFF_RETURN_IF_ERROR(parse_field(line, fields));
  }
  return {};
}

// What the fields say about the body and the connection.
struct Framing {
  bool has_length = false;
  uint64_t length = 0;
  bool chunked = false;
  bool close = false;
  bool keep_alive = false;
};

Result<void> note_length(std::string_view value, Framing& out) {
  if (out.has_length) return malformed("the message has more than one Content-Length");
  const bool digits = !value.empty() && value.size() <= 18 &&
                      std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) return malformed("Content-Length is not a plain decimal number");
  out.has_length = true;
  out.length = *parse_uint(value);
  return {};
}

Result<void> note_coding(std::string_view value, Framing& out) {
  if (out.chunked) return malformed("the message has more than one Transfer-Encoding");
  if (!equals_ignore_case(value, "chunked")) {
    return fail(Code::kUnimplemented, "the only transfer coding spoken here is \"chunked\"");
  }
  out.chunked = true;
  return {};
}

void note_connection(std::string_view value, Framing& out) {
  for (const auto& token : split(value, ',')) {
    const std::string_view option = trim_blanks(token);
    if (equals_ignore_case(option, "close")) out.close = true;
    if (equals_ignore_case(option, "keep-alive")) out.keep_alive = true;
  }
}

Result<Framing> read_framing(const Fields& fields, int minor_version) {
  Framing out;
  for (const auto& [name, value] : fields) {
    if (equals_ignore_case(name, "content-length")) SKIFF_RETURN_IF_ERROR(note_length(value, out));
    if (equals_ignore_case(name, "transfer-encoding")) SKIFF_RETURN_IF_ERROR(note_coding(value, out));
    if (equals_ignore_case(name, "connection")) note_connection(value, out);
  }
  if (out.chunked && out.has_length) {
    return malformed("the message has both Content-Length and Transfer-Encoding: its end is ambiguous");
  }
  if (out.chunked && minor_version == 0) return malformed("an HTTP/1.0 message has a Transfer-Encoding");
  return out;
}

bool stays_open(const Framing& framing, int minor_version) {
  if (framing.close) return false;
  return minor_version >= 1 || framing.keep_alive;
}

bool is_host(const std::pair<std::string, std::string>& field) {
  return equals_ignore_case(field.first, "host");
}

Result<void> check_host(const RequestHead& head) {
  const auto host = std::ranges::find_if(head.fields, is_host);
  if (std::ranges::count_if(head.fields, is_host) > 1)
    return malformed("the request has more than one Host header");
  if (host == head.fields.end())
    return head.minor_version == 0 ? Result<void>() : malformed("the request has no Host header");
  // Empty is what a client says that has no name for the server.
  if (host->second.empty() || is_authority(host->second)) return {};
  return malformed("the Host header is no name or address with an optional port, such as example.com:8080");
}

// Absolute form names the host itself (RFC 9112 3.2.2).
Result<void> settle_absolute_target(RequestHead& head) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    const std::string_view target = head.target;
    if (!equals_ignore_case(target.substr(0, scheme.size()), scheme)) continue;
    const auto rest = target.substr(scheme.size());
    const size_t end = std::min(rest.find_first_of("/?"), rest.size());
    const std::string authority(rest.substr(0, end));
    if (!is_authority(authority)) return malformed("the request's target names no host");
    const auto host = std::ranges::find_if(head.fields, is_host);
    if (host != head.fields.end()) host->second = authority;
    if (host == head.fields.end()) head.fields.emplace_back("Host", authority);
    const std::string_view path = rest.substr(end);
    const std::string_view root = path.starts_with('/')                      ? ""
                                  : path.empty() && head.method == "OPTIONS" ? "*"  // RFC 9112 3.2.4
                                                                             : "/";
    head.target = std::string(root).append(path);
    return {};
  }
  return malformed("the request's target is no path, as in \"GET /version HTTP/1.1\", and no http address");
}

// What a target may be depends on the method (RFC 9112 3.2).
Result<void> settle_target(RequestHead& head) {
  if (head.target.starts_with('/') || (head.target == "*" && head.method == "OPTIONS")) return {};
  if (head.method != "CONNECT") return settle_absolute_target(head);
  return is_authority(head.target) ? Result<void>() : malformed("the request's target names no host");
}

Result<void> parse_request_line(std::string_view line, RequestHead& head) {
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return malformed("the request line is not of the form \"METHOD target HTTP/1.1\"");
  }
  const std::string_view target = line.substr(first + 1, last - first - 1);
  if (!is_token(line.substr(0, first))) return malformed("the request's method has a character not allowed");
  if (!is_target(target)) return malformed("the request's target is empty or has a character not allowed");
  const auto version = parse_version(line.substr(last + 1));
  if (!version) return std::unexpected(version.error());
  head.method = line.substr(0, first);
  head.target = target;
  head.minor_version = *version;
  return {};
}

Result<void> parse_status_line(std::string_view line, ResponseHead& head) {
  const auto version = parse_version(line.substr(0, std::min<size_t>(8, line.size())));
  if (!version) return std::unexpected(version.error());
  const bool shaped = line.size() >= 12 && line[8] == ' ' && (line.size() == 12 || line[12] == ' ');
  const auto status = shaped ? parse_uint(line.substr(9, 3)) : std::nullopt;
  if (!status || *status < 100) return malformed("the status line has no status of three digits");
  head.status = static_cast<int>(*status);
  head.minor_version = *version;
  return {};
}

}  // namespace

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_token_char);
}

bool is_target(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) { return c > 0x20 && c < 0x7f; });
}

Result<size_t> HeadScanner::scan(std::string_view received) {
  for (; scanned_ < received.size(); ++scanned_) {
    if (scanned_ >= limit_) {
      return fail(Code::kResourceExhausted, fmt::format("the headers are larger than {} bytes", limit_));
    }
    if (received[scanned_] != '\n') continue;
    if (scanned_ == 0 || received[scanned_ - 1] != '\r') {
      return malformed("a header line ends without a carriage return");
    }
    const bool empty_line = scanned_ == line_start_ + 1;
    line_start_ = scanned_ + 1;
    if (empty_line) return ++scanned_;
  }
  return size_t{0};
}

Result<RequestHead> parse_request_head(std::string_view head) {
  RequestHead out;
  SKIFF_RETURN_IF_ERROR(parse_request_line(next_line(head), out));
  SKIFF_RETURN_IF_ERROR(parse_fields(head, out.fields));
  SKIFF_RETURN_IF_ERROR(check_host(out));
  SKIFF_RETURN_IF_ERROR(settle_target(out));
  const auto framing = read_framing(out.fields, out.minor_version);
  if (!framing) return std::unexpected(framing.error());
  if (framing->chunked) out.body = {BodyKind::kChunked, 0};
  if (framing->has_length) out.body = {BodyKind::kLength, framing->length};
  out.keep_alive = stays_open(*framing, out.minor_version);
  for (const auto& [name, value] : out.fields) {
    if (equals_ignore_case(name, "expect") && equals_ignore_case(value, "100-continue")) {
      out.expects_continue = out.minor_version >= 1;
    }
  }
  return out;
}

Result<ResponseHead> parse_response_head(std::string_view head, std::string_view request_method) {
  ResponseHead out;
  SKIFF_RETURN_IF_ERROR(parse_status_line(next_line(head), out));
  SKIFF_RETURN_IF_ERROR(parse_fields(head, out.fields));
  const auto framing = read_framing(out.fields, out.minor_version);
  if (!framing) return std::unexpected(framing.error());
  out.keep_alive = stays_open(*framing, out.minor_version);
  if (request_method == "HEAD" || out.status < 200 || out.status == 204 || out.status == 304) return out;
  if (framing->chunked) {
    out.body = {BodyKind::kChunked, 0};
  } else if (framing->has_length) {
    out.body = {BodyKind::kLength, framing->length};
  } else {
    out.body = {BodyKind::kUntilClose, 0};
    out.keep_alive = false;
  }
  return out;
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ");
  for (const char c : value) out.push_back(is_value_char(static_cast<unsigned char>(c)) ? c : ' ');
  out.append("\r\n");
}

}  // namespace skiff::wire
