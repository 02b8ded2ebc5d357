#include "edge/head.h"

#include <cstring>

namespace skiff::edge {
namespace {

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

constexpr std::array<bool, 256> make_tokens() {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[static_cast<size_t>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[static_cast<size_t>(c)] = table[static_cast<size_t>(c - 32)] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<size_t>(c)] = true;
  return table;
}
constexpr auto kToken = make_tokens();

bool is_token(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (!kToken[static_cast<unsigned char>(c)]) return false;
  }
  return true;
}

bool is_field_text(std::string_view text) {
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if ((u < 0x20 && u != '\t') || u == 0x7f) return false;
  }
  return true;
}

std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

Parse bad(Head& head, int status, std::string_view why) {
  head.error_status = status;
  head.error = why;
  return Parse::kBad;
}

// The next line without its CRLF; false when it ends in a bare LF or holds a bare CR.
bool take_line(std::string_view& data, std::string_view& line) {
  const size_t end = data.find('\n');
  if (end == std::string_view::npos || end == 0 || data[end - 1] != '\r') return false;
  line = data.substr(0, end - 1);
  data.remove_prefix(end + 1);
  return true;
}

bool parse_length(std::string_view text, uint64_t& out) {
  if (text.empty() || text.size() > 18) return false;
  out = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    out = out * 10 + static_cast<uint64_t>(c - '0');
  }
  return true;
}

struct Seen {
  bool length = false, chunked = false, host = false, close = false, keep = false, upgrade = false;
};

void note_connection(Head& head, Seen& seen, std::string_view value) {
  head.connection = value;
  while (!value.empty()) {
    const size_t comma = value.find(',');
    const auto token = trim_blanks(value.substr(0, comma));
    if (same_name(token, "close")) {
      seen.close = true;
    } else if (same_name(token, "keep-alive")) {
      seen.keep = true;
    } else if (same_name(token, "upgrade")) {
      seen.upgrade = true;
    } else if (!token.empty()) {
      head.connection_lists = true;
    }
    if (comma == std::string_view::npos) break;
    value.remove_prefix(comma + 1);
  }
}

// Fields that matter to framing, for requests and responses alike.
Parse note_field(Head& head, Seen& seen, const Field& field) {
  switch (field.name.size()) {
    case 7:
      if (same_name(field.name, "upgrade")) head.upgrade = true;
      break;
    case 10:
      if (same_name(field.name, "connection")) note_connection(head, seen, field.value);
      break;
    case 14:
      if (same_name(field.name, "content-length")) {
        if (seen.length) return bad(head, 400, "more than one Content-Length");
        if (!parse_length(field.value, head.length)) return bad(head, 400, "invalid Content-Length");
        seen.length = true;
      }
      break;
    case 17:
      if (same_name(field.name, "transfer-encoding")) {
        if (seen.chunked) return bad(head, 400, "more than one Transfer-Encoding");
        if (!same_name(field.value, "chunked")) return bad(head, 501, "unsupported Transfer-Encoding");
        seen.chunked = true;
      }
      break;
    default:
      break;
  }
  return Parse::kComplete;
}

template <typename Visit>
Parse parse_fields(std::string_view rest, Head& head, Seen& seen, Visit visit) {
  for (std::string_view line;;) {
    if (!take_line(rest, line)) return bad(head, 400, "a line does not end in CRLF");
    if (line.empty()) break;
    if (head.count == kMaxFields) return bad(head, 431, "too many header fields");
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return bad(head, 400, "a header field without a colon");
    Field& field = head.fields[head.count];
    field = {line.substr(0, colon), trim_blanks(line.substr(colon + 1))};
    if (!is_token(field.name)) return bad(head, 400, "invalid header field name");
    if (!is_field_text(field.value)) return bad(head, 400, "invalid header field value");
    if (note_field(head, seen, field) == Parse::kBad || visit(field) == Parse::kBad) return Parse::kBad;
    ++head.count;
  }
  if (seen.length && seen.chunked) return bad(head, 400, "both Content-Length and Transfer-Encoding");
  if (seen.chunked && head.minor == 0) return bad(head, 400, "Transfer-Encoding in HTTP/1.0");
  head.upgrade = head.upgrade && seen.upgrade;
  head.keep_alive = !seen.close && (head.minor == 1 || seen.keep);
  return Parse::kComplete;
}

void reset(Head& head) {
  head.bytes = head.count = head.length = 0;
  head.minor = 1;
  head.framing = Framing::kNone;
  head.keep_alive = true;
  head.upgrade = head.connection_lists = false;
  head.connection = {};
  head.error = {};
  head.error_status = 400;
}

// The end of the head, or npos; `bare` when a line ended in LF alone on the way.
size_t find_end(std::string_view data, size_t from, bool& bare) {
  const size_t end = data.find("\r\n\r\n", from > 3 ? from - 3 : 0);
  if (end != std::string_view::npos) return end + 4;
  for (size_t at = data.find('\n', from); at != std::string_view::npos; at = data.find('\n', at + 1)) {
    if (at == 0 || data[at - 1] != '\r') bare = true;
  }
  return end;
}

Parse parse_request_line(std::string_view line, RequestHead& out) {
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return bad(out, 400, "malformed request line");
  out.method = line.substr(0, first);
  out.target = line.substr(first + 1, last - first - 1);
  const auto version = line.substr(last + 1);
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return bad(out, 505, "unsupported HTTP version");
  out.minor = version.back() - '0';
  if (!is_token(out.method) || out.method.size() > 32) return bad(out, 400, "invalid method");
  if (out.method == "CONNECT") return bad(out, 405, "CONNECT is not supported");
  if (out.target.size() > kMaxTargetBytes) return bad(out, 414, "request target too long");
  for (const char c : out.target) {
    const auto u = static_cast<unsigned char>(c);
    if (u <= 0x20 || u == 0x7f) return bad(out, 400, "invalid character in the request target");
  }
  return Parse::kComplete;
}

// Absolute form names the host itself (RFC 9112 3.2.2).
Parse settle_target(RequestHead& out) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!out.target.starts_with(scheme)) continue;
    const auto rest = out.target.substr(scheme.size());
    const size_t slash = rest.find_first_of("/?");
    out.host = rest.substr(0, slash);
    out.target = slash == std::string_view::npos ? std::string_view("/") : rest.substr(slash);
    if (out.target.front() == '?') return bad(out, 400, "request target without a path");
  }
  const bool star = out.target == "*" && out.method == "OPTIONS";
  if (!star && !out.target.starts_with('/')) return bad(out, 400, "invalid request target");
  if (out.host.find_first_of("/@?#\\ \t,") != std::string_view::npos) return bad(out, 400, "invalid Host");
  return Parse::kComplete;
}

}  // namespace

bool same_name(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != b[i]) return false;
  }
  return true;
}

bool has_token(std::string_view list, std::string_view token) {
  for (;;) {
    const size_t comma = list.find(',');
    if (same_name(trim_blanks(list.substr(0, comma)), token)) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
}

Parse parse_request(std::string_view data, size_t scanned, RequestHead& out) {
  reset(out);
  out.host = out.request_id = out.via = {};
  out.expect_continue = false;
  bool bare = false;
  const size_t end = find_end(data, scanned, bare);
  if (bare) return bad(out, 400, "a line does not end in CRLF");
  if (end == std::string_view::npos || end > kMaxHeadBytes) {
    if (end == std::string_view::npos && data.size() <= kMaxHeadBytes) return Parse::kIncomplete;
    const bool long_line = data.substr(0, kMaxTargetBytes).find('\n') == std::string_view::npos;
    return long_line ? bad(out, 414, "request target too long") : bad(out, 431, "request head too large");
  }
  out.bytes = end;
  std::string_view rest = data.substr(0, end), line;
  if (!take_line(rest, line)) return bad(out, 400, "a line does not end in CRLF");
  if (parse_request_line(line, out) == Parse::kBad) return Parse::kBad;
  Seen seen;
  const auto parsed = parse_fields(rest, out, seen, [&](const Field& field) {
    switch (field.name.size()) {
      case 3:
        if (same_name(field.name, "via")) out.via = field.value;
        break;
      case 4:
        if (same_name(field.name, "host")) {
          if (seen.host) return bad(out, 400, "more than one Host");
          seen.host = true;
          out.host = field.value;
        }
        break;
      case 6:
        if (same_name(field.name, "expect")) {
          if (!same_name(field.value, "100-continue"))
            return bad(out, 417, "unsupported expect header value");
          out.expect_continue = true;
        }
        break;
      case 12:
        if (same_name(field.name, "x-request-id")) out.request_id = field.value;
        break;
      default:
        break;
    }
    return Parse::kComplete;
  });
  if (parsed == Parse::kBad) return parsed;
  if (!seen.host && out.minor == 1) return bad(out, 400, "no Host");
  out.framing = seen.chunked ? Framing::kChunked : (out.length > 0 ? Framing::kLength : Framing::kNone);
  return settle_target(out);
}

Parse parse_response(std::string_view data, bool to_head, ResponseHead& out) {
  reset(out);
  bool bare = false;
  const size_t end = find_end(data, 0, bare);
  if (bare) return bad(out, 502, "a line does not end in CRLF");
  if (end == std::string_view::npos) {
    if (data.size() > kMaxResponseHead) return bad(out, 502, "response head too large");
    return Parse::kIncomplete;
  }
  out.bytes = end;
  std::string_view rest = data.substr(0, end), line;
  if (!take_line(rest, line)) return bad(out, 502, "a line does not end in CRLF");
  if (line.size() < 13 || !line.starts_with("HTTP/1.") || (line[7] != '0' && line[7] != '1') ||
      line[8] != ' ' || line[12] != ' ' || !is_field_text(line)) {
    return bad(out, 502, "malformed status line");
  }
  out.minor = line[7] - '0';
  uint64_t status = 0;
  if (!parse_length(line.substr(9, 3), status) || status < 100) return bad(out, 502, "malformed status line");
  out.status = static_cast<int>(status);
  out.reason = line.substr(13);
  Seen seen;
  const auto parsed = parse_fields(rest, out, seen, [](const Field&) { return Parse::kComplete; });
  if (parsed == Parse::kBad) return parsed;
  if (to_head || out.status < 200 || out.status == 204 || out.status == 304) return Parse::kComplete;
  out.framing = seen.chunked ? Framing::kChunked : (seen.length ? Framing::kLength : Framing::kUntilClose);
  if (out.framing == Framing::kLength && out.length == 0) out.framing = Framing::kNone;
  if (out.framing == Framing::kUntilClose) out.keep_alive = false;
  return Parse::kComplete;
}

}  // namespace skiff::edge
