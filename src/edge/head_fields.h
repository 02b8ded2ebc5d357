// What request and response heads have in common; used by their parsers only.
#pragma once

#include "edge/head.h"
#include "edge/syntax.h"

namespace skiff::edge {

// Fields met so far that may come once, or that count together.
struct SeenFields {
  bool length = false, chunked = false, host = false, close = false, keep = false, upgrade = false;
  bool h2c = false;
  bool response = false;  // a response's fields are read leniently
  bool restate = false;   // its length came more than once or oddly written
};

void reset_head(Head& head);
Parse bad_head(Head& head, int status, std::string_view why);
// The end of the head, or npos; `bare` when a line ended in LF alone on the way.
size_t find_head_end(std::string_view data, size_t from, bool& bare);
// "HTTP/1." and a digit; a minor version above 1 is served as 1 (RFC 9110 2.5).
inline bool take_version(std::string_view text, Head& head) {
  constexpr std::string_view kMajor = "HTTP/1.";
  if (text.size() != kMajor.size() + 1 || !text.starts_with(kMajor)) return false;
  const char minor = text.back();
  head.minor = minor == '0' ? 0 : 1;
  return minor >= '0' && minor <= '9';
}
// Notes a field that matters to framing.
Parse note_field(Head& head, SeenFields& seen, const Field& field);
// Checks that fields agree with each other.
Parse settle_fields(Head& head, const SeenFields& seen);

// Reads the lines of `rest`, up to the empty one, into `head`; `visit(field)` may refuse a field with kBad.
template <typename Visit>
Parse parse_fields(std::string_view rest, Head& head, SeenFields& seen, Visit visit) {
  for (std::string_view line;;) {
    if (!take_line(rest, line)) return bad_head(head, 400, "a line does not end in CRLF");
    if (line.empty()) return settle_fields(head, seen);
    if (head.count == kMaxFields) return bad_head(head, 431, "too many header fields");
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return bad_head(head, 400, "a header field without a colon");
    Field& field = head.fields[head.count];
    field = {line.substr(0, colon), trim_blanks(line.substr(colon + 1))};
    if (!is_token(field.name)) return bad_head(head, 400, "invalid header field name");
    if (!is_field_text(field.value)) return bad_head(head, 400, "invalid header field value");
    if (note_field(head, seen, field) == Parse::kBad || visit(field) == Parse::kBad) return Parse::kBad;
    ++head.count;
  }
}

}  // namespace skiff::edge
