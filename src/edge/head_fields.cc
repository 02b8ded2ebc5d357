#include "edge/head_fields.h"

namespace skiff::edge {
namespace {

Parse note_connection(Head& head, SeenFields& seen, std::string_view value) {
  while (!value.empty()) {
    const auto token = take_element(value);
    if (same_name(token, "close")) {
      seen.close = true;
    } else if (same_name(token, "keep-alive")) {
      seen.keep = true;
    } else if (same_name(token, "upgrade")) {
      seen.upgrade = true;
    } else if (!token.empty()) {
      if (head.connection_options == kMaxConnectionOptions)
        return bad_head(head, 400, "Connection names too many fields");
      head.options[head.connection_options++] = token;
    }
  }
  return Parse::kComplete;
}

// Of a response, "02", "2, 2" and a second field that says the same are one length (RFC 9110 8.6).
Parse note_response_length(Head& head, SeenFields& seen, std::string_view value) {
  const bool usual = !seen.length && !value.starts_with('0') && parse_length(value, head.length);
  if (usual) {
    seen.length = true;
    return Parse::kComplete;
  }
  if (value.ends_with(',')) return bad_head(head, 400, "invalid Content-Length");
  do {
    auto element = take_element(value);
    while (element.size() > 1 && element.front() == '0') {
      element.remove_prefix(1);
      seen.restate = true;
    }
    uint64_t length = 0;
    if (!parse_length(element, length)) return bad_head(head, 400, "invalid Content-Length");
    if (seen.length && length != head.length)
      return bad_head(head, 400, "different values of Content-Length");
    seen.restate = seen.restate || seen.length;
    seen.length = true;
    head.length = length;
  } while (!value.empty());
  return Parse::kComplete;
}

Parse note_length(Head& head, SeenFields& seen, const Field& field) {
  if (!reads_as(field.name, "content-length")) return Parse::kComplete;
  // Of a response it is a field like others, and ends here.
  if (field.name[7] == '_' && seen.response) return Parse::kComplete;
  if (field.name[7] == '_') return bad_head(head, 400, "Content_Length instead of Content-Length");
  if (seen.response) return note_response_length(head, seen, field.value);
  if (seen.length) return bad_head(head, 400, "more than one Content-Length");
  if (!parse_length(field.value, head.length)) return bad_head(head, 400, "invalid Content-Length");
  seen.length = true;
  return Parse::kComplete;
}

Parse note_encoding(Head& head, SeenFields& seen, const Field& field) {
  if (!reads_as(field.name, "transfer-encoding")) return Parse::kComplete;
  if (field.name[8] == '_' && seen.response) return Parse::kComplete;
  if (field.name[8] == '_') return bad_head(head, 400, "Transfer_Encoding instead of Transfer-Encoding");
  if (seen.chunked) return bad_head(head, 400, "more than one Transfer-Encoding");
  if (!same_name(field.value, "chunked")) return bad_head(head, 501, "unsupported Transfer-Encoding");
  seen.chunked = true;
  return Parse::kComplete;
}

}  // namespace

void reset_head(Head& head) {
  head.bytes = head.count = head.length = 0;
  head.minor = 1;
  head.framing = Framing::kNone;
  head.keep_alive = true;
  head.upgrade = false;
  head.connection_options = 0;
  head.error = {};
  head.error_status = 400;
}

Parse bad_head(Head& head, int status, std::string_view why) {
  head.error_status = status;
  head.error = why;
  return Parse::kBad;
}

size_t find_head_end(std::string_view data, size_t from, bool& bare) {
  const size_t end = data.find("\r\n\r\n", from > 3 ? from - 3 : 0);
  if (end != std::string_view::npos) return end + 4;
  for (size_t at = data.find('\n', from); at != std::string_view::npos; at = data.find('\n', at + 1)) {
    if (at == 0 || data[at - 1] != '\r') bare = true;
  }
  return end;
}

Parse note_field(Head& head, SeenFields& seen, const Field& field) {
  switch (field.name.size()) {
    case 7:
      if (!same_name(field.name, "upgrade")) return Parse::kComplete;
      head.upgrade = true;
      // HTTP/2 inside a tunnel would hide requests from the edge; RFC 9113 has given the upgrade up.
      seen.h2c = seen.h2c || has_token(field.value, "h2c");
      return Parse::kComplete;
    case 10:
      if (!same_name(field.name, "connection")) return Parse::kComplete;
      return note_connection(head, seen, field.value);
    case 14:
      return note_length(head, seen, field);
    case 17:
      return note_encoding(head, seen, field);
    default:
      return Parse::kComplete;
  }
}

Parse settle_fields(Head& head, const SeenFields& seen) {
  if (seen.length && seen.chunked) return bad_head(head, 400, "both Content-Length and Transfer-Encoding");
  // Of a response it counts, but not every reader believes that: its connection ends (RFC 9112 6.1).
  const bool old_chunked = seen.chunked && head.minor == 0;
  if (old_chunked && !seen.response) return bad_head(head, 400, "Transfer-Encoding in HTTP/1.0");
  head.upgrade = head.upgrade && seen.upgrade && !seen.h2c && head.minor == 1;
  head.keep_alive = !seen.close && !seen.restate && (head.minor == 1 || (seen.keep && !old_chunked));
  return Parse::kComplete;
}

}  // namespace skiff::edge
