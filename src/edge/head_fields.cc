#include "edge/head_fields.h"

namespace skiff::edge {
namespace {

void note_connection(Head& head, SeenFields& seen, std::string_view value) {
  for (;;) {
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
    if (comma == std::string_view::npos) return;
    value.remove_prefix(comma + 1);
  }
}

Parse note_length(Head& head, SeenFields& seen, const Field& field) {
  if (!reads_as(field.name, "content-length")) return Parse::kComplete;
  if (field.name[7] == '_') return bad_head(head, 400, "Content_Length instead of Content-Length");
  if (seen.length) return bad_head(head, 400, "more than one Content-Length");
  if (!parse_length(field.value, head.length)) return bad_head(head, 400, "invalid Content-Length");
  seen.length = true;
  return Parse::kComplete;
}

Parse note_encoding(Head& head, SeenFields& seen, const Field& field) {
  if (!reads_as(field.name, "transfer-encoding")) return Parse::kComplete;
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
  head.upgrade = head.connection_lists = false;
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
      if (same_name(field.name, "connection")) note_connection(head, seen, field.value);
      return Parse::kComplete;
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
  if (seen.chunked && head.minor == 0) return bad_head(head, 400, "Transfer-Encoding in HTTP/1.0");
  head.upgrade = head.upgrade && seen.upgrade && !seen.h2c && head.minor == 1;
  head.keep_alive = !seen.close && (head.minor == 1 || seen.keep);
  return Parse::kComplete;
}

}  // namespace skiff::edge
