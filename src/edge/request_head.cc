#include <algorithm>

#include "edge/head_fields.h"
#include "wire/authority.h"

namespace skiff::edge {
namespace {

constexpr size_t kMaxMethodBytes = 32;

Parse parse_request_line(std::string_view line, RequestHead& out) {
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return bad_head(out, 400, "malformed request line");
  const auto method = line.substr(0, first), target = line.substr(first + 1, last - first - 1);
  const auto version = line.substr(last + 1);
  if (!take_version(version, out)) return bad_head(out, 505, "unsupported HTTP version");
  if (!is_token(method) || method.size() > kMaxMethodBytes) return bad_head(out, 400, "invalid method");
  if (method == "CONNECT") return bad_head(out, 405, "CONNECT is not supported");
  if (target.size() > kMaxTargetBytes) return bad_head(out, 414, "request target too long");
  for (const char c : target) {
    const auto u = static_cast<unsigned char>(c);
    if (u <= 0x20 || u == 0x7f) return bad_head(out, 400, "invalid character in the request target");
  }
  out.method = method;
  out.target = target;
  return Parse::kComplete;
}

// Absolute form names the host itself (RFC 9112 3.2.2).
Parse settle_absolute_target(RequestHead& out) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!same_name(out.target.substr(0, scheme.size()), scheme)) continue;
    const auto rest = out.target.substr(scheme.size());
    const size_t end = std::min(rest.find_first_of("/?"), rest.size());
    const std::string_view root = out.method == "OPTIONS" ? "*" : "/";  // RFC 9112 3.2.4
    out.host = rest.substr(0, end);
    out.target = end == rest.size() ? root : rest.substr(end);
    return wire::is_authority(out.host) ? Parse::kComplete : bad_head(out, 400, "invalid host in the target");
  }
  return bad_head(out, 400, "invalid request target");
}

Parse settle_target(RequestHead& out) {
  if (out.target.starts_with('/') || (out.target == "*" && out.method == "OPTIONS")) return Parse::kComplete;
  return settle_absolute_target(out);
}

Parse note_request_field(RequestHead& out, SeenFields& seen, const Field& field) {
  switch (field.name.size()) {
    case 3:
      if (same_name(field.name, "via")) out.via = field.value;
      break;
    case 4:
      if (!same_name(field.name, "host")) break;
      if (seen.host) return bad_head(out, 400, "more than one Host");
      seen.host = true;
      out.host = field.value;
      // Empty is what a client says that has no name for the server.
      if (!out.host.empty() && !wire::is_authority(out.host)) return bad_head(out, 400, "invalid Host");
      break;
    case 6:
      if (!same_name(field.name, "expect")) break;
      if (!same_name(field.value, "100-continue"))
        return bad_head(out, 417, "unsupported expect header value");
      out.expect_continue = true;
      break;
    case 12:
      if (same_name(field.name, "x-request-id")) out.request_id = field.value;
      break;
    default:
      break;
  }
  return Parse::kComplete;
}

// What can't become a request is refused before the rest comes: who speaks another protocol waits for an
// answer first.
Parse check_begin(std::string_view data, size_t scanned, RequestHead& out) {
  if (data.empty() || data == "\r") return Parse::kIncomplete;  // of an empty line before the request
  const size_t end = data.find("\r\n");
  if (end == std::string_view::npos) {
    const bool method = is_token(data.substr(0, std::min(data.find(' '), kMaxMethodBytes)));
    return method ? Parse::kIncomplete : bad_head(out, 400, "invalid method");
  }
  if (end + 1 < scanned) return Parse::kIncomplete;  // was looked at when it came
  const Parse line = parse_request_line(data.substr(0, end), out);
  return line == Parse::kBad ? line : Parse::kIncomplete;
}

Parse too_large(std::string_view data, RequestHead& out) {
  const bool long_line = data.substr(0, kMaxTargetBytes).find('\n') == std::string_view::npos;
  return long_line ? bad_head(out, 414, "request target too long")
                   : bad_head(out, 431, "request head too large");
}

}  // namespace

Parse parse_request(std::string_view data, size_t scanned, RequestHead& out) {
  reset_head(out);
  out.method = out.target = out.host = out.request_id = out.via = {};
  out.expect_continue = false;
  bool bare = false;
  const size_t end = find_head_end(data, scanned, bare);
  if (bare) return bad_head(out, 400, "a line does not end in CRLF");
  if (end == std::string_view::npos && data.size() <= kMaxHeadBytes) return check_begin(data, scanned, out);
  if (end == std::string_view::npos || end > kMaxHeadBytes) return too_large(data, out);
  out.bytes = end;
  std::string_view rest = data.substr(0, end), line;
  if (!take_line(rest, line)) return bad_head(out, 400, "a line does not end in CRLF");
  if (parse_request_line(line, out) == Parse::kBad) return Parse::kBad;
  SeenFields seen;
  const auto visit = [&](const Field& field) { return note_request_field(out, seen, field); };
  if (parse_fields(rest, out, seen, visit) == Parse::kBad) return Parse::kBad;
  if (!seen.host && out.minor == 1) return bad_head(out, 400, "no Host");
  out.framing = seen.chunked ? Framing::kChunked : (out.length > 0 ? Framing::kLength : Framing::kNone);
  return settle_target(out);
}

}  // namespace skiff::edge
