#include "edge/head_fields.h"

namespace skiff::edge {
namespace {

constexpr std::string_view kShortestStatusLine = "HTTP/1.1 200 ";  // the reason may be empty, its space not

Parse parse_status_line(std::string_view line, ResponseHead& out) {
  if (line.size() < kShortestStatusLine.size() || !line.starts_with("HTTP/1.") ||
      (line[7] != '0' && line[7] != '1') || line[8] != ' ' || line[12] != ' ' || !is_field_text(line)) {
    return bad_head(out, 502, "malformed status line");
  }
  out.minor = line[7] - '0';
  uint64_t status = 0;
  if (!parse_length(line.substr(9, 3), status) || status < 100)
    return bad_head(out, 502, "malformed status line");
  out.status = static_cast<int>(status);
  out.reason = line.substr(kShortestStatusLine.size());
  return Parse::kComplete;
}

}  // namespace

Parse parse_response(std::string_view data, bool to_head, ResponseHead& out) {
  reset_head(out);
  out.too_large = false;
  bool bare = false;
  const size_t end = find_head_end(data, 0, bare);
  if (bare) return bad_head(out, 502, "a line does not end in CRLF");
  if (end == std::string_view::npos) {
    if (data.size() <= kMaxResponseHead) return Parse::kIncomplete;
    out.too_large = true;
    return bad_head(out, 502, "response head too large");
  }
  out.bytes = end;
  std::string_view rest = data.substr(0, end), line;
  if (!take_line(rest, line)) return bad_head(out, 502, "a line does not end in CRLF");
  if (parse_status_line(line, out) == Parse::kBad) return Parse::kBad;
  SeenFields seen;
  const auto parsed = parse_fields(rest, out, seen, [](const Field&) { return Parse::kComplete; });
  if (parsed == Parse::kBad) return parsed;
  if (to_head || out.status < 200 || out.status == 204 || out.status == 304) return Parse::kComplete;
  out.framing = seen.chunked ? Framing::kChunked : (seen.length ? Framing::kLength : Framing::kUntilClose);
  if (out.framing == Framing::kLength && out.length == 0) out.framing = Framing::kNone;
  if (out.framing == Framing::kUntilClose) out.keep_alive = false;
  return Parse::kComplete;
}

}  // namespace skiff::edge
