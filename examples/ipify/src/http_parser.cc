#include "http_parser.h"

#include <charconv>
#include <cstring>
#include <optional>

namespace ipify {
namespace {

using Outcome = std::optional<Refusal>;

Refusal bad(std::string_view why) {
  return {Status::kBadRequest, why};
}

// RFC 9110, section 5.6.2.
constexpr std::array<bool, 256> make_token_table() {
  std::array<bool, 256> table{};
  for (unsigned c = '0'; c <= '9'; ++c) table[c] = true;
  for (unsigned c = 'a'; c <= 'z'; ++c) table[c] = table[c - 'a' + 'A'] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = true;
  return table;
}
constexpr std::array<bool, 256> kTokenChar = make_token_table();

bool is_token(std::string_view text) {
  for (const char c : text) {
    if (!kTokenChar[static_cast<unsigned char>(c)]) return false;
  }
  return !text.empty();
}

bool is_visible_ascii(std::string_view text) {
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (u <= ' ' || u >= 0x7f) return false;
  }
  return true;
}

bool is_field_value(std::string_view text) {
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if ((u < ' ' && u != '\t') || u == 0x7f) return false;
  }
  return true;
}

// `lower` is already in lower case.
bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c >= 'A' && c <= 'Z' ? c | 0x20 : c) != lower[i]) return false;
  }
  return true;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Cuts the next line, without its CRLF, off `rest`; every line in a head is known to end so.
std::string_view take_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  const std::string_view line = rest.substr(0, end - 1);
  rest.remove_prefix(end + 1);
  return line;
}

Method method_of(std::string_view name) {
  if (name == "GET") return Method::kGet;
  if (name == "HEAD") return Method::kHead;
  return Method::kOther;
}

Outcome parse_version(std::string_view text, Request& request) {
  if (text == "HTTP/1.1") return std::nullopt;
  if (text == "HTTP/1.0") {
    request.http_1_0 = true;
    request.keep_alive = false;
    return std::nullopt;
  }
  if (text.size() == 8 && text.starts_with("HTTP/")) {
    return Refusal{Status::kVersionNotSupported, "This server speaks HTTP/1.1 and HTTP/1.0."};
  }
  return bad("The request line does not end with an HTTP version.");
}

Outcome parse_request_line(std::string_view line, Request& request) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == line.npos || first == last) {
    return bad("The request line needs a method, a target and a version.");
  }
  const std::string_view method = line.substr(0, first);
  request.target = line.substr(first + 1, last - first - 1);
  if (!is_token(method)) return bad("The method is not a word.");
  if (request.target.size() > kMaxTargetBytes) {
    return Refusal{Status::kUriTooLong, "The address asked for is too long."};
  }
  if (request.target.empty() || !is_visible_ascii(request.target)) {
    return bad("The address asked for has characters that must be percent-encoded.");
  }
  request.method = method_of(method);
  return parse_version(line.substr(last + 1), request);
}

// What must be remembered from line to line to refuse contradictions.
struct Seen {
  bool host = false;
  bool length = false;
};

void apply_connection(std::string_view value, Request& request) {
  while (!value.empty()) {
    const std::size_t comma = value.find(',');
    const std::string_view option = trim(value.substr(0, comma));
    if (equals_ignoring_case(option, "close")) request.keep_alive = false;
    if (request.http_1_0 && equals_ignoring_case(option, "keep-alive")) request.keep_alive = true;
    value.remove_prefix(comma == value.npos ? value.size() : comma + 1);
  }
}

Outcome apply_content_length(std::string_view value, Request& request, Seen& seen) {
  if (seen.length) return bad("Content-Length is given twice.");
  seen.length = true;
  const char* const end = value.data() + value.size();
  const auto parsed = std::from_chars(value.data(), end, request.content_length);
  if (value.empty() || parsed.ec != std::errc() || parsed.ptr != end) {
    return bad("Content-Length is not a number.");
  }
  return std::nullopt;
}

Outcome apply_host(Request& request, Seen& seen) {
  if (seen.host && !request.http_1_0) return bad("Host is given twice.");
  seen.host = true;
  return std::nullopt;
}

Outcome apply_forwarded_for(std::string_view value, Request& request) {
  if (request.forwarded_count_ == kMaxForwardedLines) {
    return Refusal{Status::kHeadersTooLarge, "There are too many X-Forwarded-For lines."};
  }
  request.forwarded_[request.forwarded_count_++] = value;
  return std::nullopt;
}

// The length tells most headers apart from the few that matter, before any comparison.
Outcome apply_header(std::string_view name, std::string_view value, Request& request, Seen& seen) {
  switch (name.size()) {
    case 4:
      if (equals_ignoring_case(name, "host")) return apply_host(request, seen);
      break;
    case 6:
      if (equals_ignoring_case(name, "expect")) request.expects_continue = true;
      break;
    case 10:
      if (equals_ignoring_case(name, "connection")) apply_connection(value, request);
      break;
    case 14:
      if (equals_ignoring_case(name, "content-length")) return apply_content_length(value, request, seen);
      break;
    case 15:
      if (equals_ignoring_case(name, "x-forwarded-for")) return apply_forwarded_for(value, request);
      break;
    case 17:
      if (equals_ignoring_case(name, "transfer-encoding")) request.transfer_coded = true;
      break;
    default:
      break;
  }
  return std::nullopt;
}

Outcome parse_header_line(std::string_view line, Request& request, Seen& seen) {
  const std::size_t colon = line.find(':');
  if (colon == line.npos) return bad("A header line has no colon.");
  const std::string_view name = line.substr(0, colon);
  if (!is_token(name)) return bad("A header's name is not a word followed by a colon.");
  const std::string_view value = trim(line.substr(colon + 1));
  if (!is_field_value(value)) return bad("A header's value has control characters.");
  return apply_header(name, value, request, seen);
}

Outcome check_whole(const Request& request, const Seen& seen) {
  if (request.transfer_coded && seen.length)
    return bad("Content-Length and Transfer-Encoding contradict each other.");
  if (request.transfer_coded && request.http_1_0) return bad("HTTP/1.0 has no Transfer-Encoding.");
  if (!seen.host && !request.http_1_0) return bad("The Host header is missing.");
  return std::nullopt;
}

}  // namespace

HeadScan find_head_end(std::string_view bytes, std::size_t from) {
  std::size_t at = from;
  while (true) {
    at = bytes.find('\n', at);
    if (at == bytes.npos) return {HeadScan::State::kIncomplete, bytes.size()};
    if (at == 0 || bytes[at - 1] != '\r') return {HeadScan::State::kBareLineFeed, at};
    if (at >= 3 && bytes[at - 2] == '\n') return {HeadScan::State::kComplete, at + 1};
    ++at;
  }
}

std::expected<Request, Refusal> parse_head(std::string_view head) {
  Request request;
  Seen seen;
  if (const Outcome refusal = parse_request_line(take_line(head), request)) return std::unexpected(*refusal);
  for (std::size_t lines = 0;; ++lines) {
    const std::string_view line = take_line(head);
    if (line.empty()) break;
    if (lines == kMaxHeaderLines) {
      return std::unexpected(Refusal{Status::kHeadersTooLarge, "There are too many headers."});
    }
    if (const Outcome refusal = parse_header_line(line, request, seen)) return std::unexpected(*refusal);
  }
  if (const Outcome refusal = check_whole(request, seen)) return std::unexpected(*refusal);
  return request;
}

}  // namespace ipify
