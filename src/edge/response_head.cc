#include <algorithm>

#include "edge/head_fields.h"

namespace skiff::edge {
namespace {

constexpr size_t kVersionBytes = 8;  // "HTTP/1.1"
constexpr std::string_view kShortestStatusLine = "HTTP/1.1 200";
// Of these a fold is not forgiven: who does not know folds would frame the message in another way.
constexpr std::string_view kNeverFolded[] = {"content-length", "transfer-encoding", "connection", "upgrade"};

// The reason may be missing, with its blank or without.
Parse parse_status_line(std::string_view line, ResponseHead& out) {
  const bool shaped = line.size() >= kShortestStatusLine.size() && line[8] == ' ' &&
                      (line.size() == kShortestStatusLine.size() || line[12] == ' ');
  uint64_t status = 0;
  if (!shaped || !take_version(line.substr(0, kVersionBytes), out) || !is_field_text(line) ||
      !parse_length(line.substr(9, 3), status) || status < 100) {
    return bad_head(out, 502, "malformed status line");
  }
  out.status = static_cast<int>(status);
  out.reason = line.substr(std::min(line.size(), kShortestStatusLine.size() + 1));
  return Parse::kComplete;
}

// Behind the first empty line, whose end and whose predecessor's may be a line feed alone; or npos.
size_t find_empty_line(std::string_view data, size_t from) {
  for (size_t at = data.find('\n', from); at != std::string_view::npos; at = data.find('\n', at + 1)) {
    const size_t before = at > 0 && data[at - 1] == '\r' ? at - 1 : at;
    if (before > 0 && data[before - 1] == '\n') return at + 1;
  }
  return std::string_view::npos;
}

bool may_fold(std::string_view name) {
  for (const auto never : kNeverFolded) {
    if (reads_as(name, never)) return false;
  }
  return true;
}

enum class Lines : uint8_t { kRegular, kMadeRegular, kAmbiguous };
// Control characters that end nothing become blanks, as a message may carry them (RFC 9110 5.5).
void append_plain(std::string_view text, std::string& out, bool& changed) {
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    const bool control = (u < 0x20 && c != '\t' && c != '\r' && c != '\0') || u == 0x7f;
    out += control ? ' ' : c;
    changed = changed || control;
  }
}

// Writes the head with CRLF behind each line and its folds as blanks (RFC 9112 2.2, 5.2).
Lines make_regular(std::string_view head, std::string& out) {
  out.clear();
  bool changed = false, first = true;
  std::string_view name;
  while (!head.empty()) {
    const size_t end = head.find('\n');
    std::string_view line = head.substr(0, end);
    head.remove_prefix(end + 1);
    const bool bare = !line.ends_with('\r');
    if (!bare) line.remove_suffix(1);
    changed = changed || bare;
    if (const bool fold = line.starts_with(' ') || line.starts_with('\t'); !fold) {
      if (!first) out += "\r\n";
      append_plain(line, out, changed);
      name = first ? std::string_view() : line.substr(0, line.find(':'));
    } else {
      if (name.empty() || !may_fold(name)) return Lines::kAmbiguous;
      changed = true;
      out += ' ';
      append_plain(trim_blanks(line), out, changed);
    }
    first = false;
  }
  out += "\r\n";
  return changed ? Lines::kMadeRegular : Lines::kRegular;
}

Parse parse_whole(std::string_view rest, SeenFields& seen, ResponseHead& out) {
  reset_head(out);
  std::string_view line;
  if (!take_line(rest, line)) return bad_head(out, 502, "a line does not end in CRLF");
  if (parse_status_line(line, out) == Parse::kBad) return Parse::kBad;
  seen = {.response = true};
  return parse_fields(rest, out, seen, [](const Field&) { return Parse::kComplete; });
}

// A head may be one of those that write lines in the ways of old.
Parse parse_irregular(std::string_view head, SeenFields& seen, ResponseHead& out) {
  if (parse_whole(head, seen, out) == Parse::kComplete) return Parse::kComplete;
  const std::string_view why = out.error;
  const Lines lines = make_regular(head, out.regular);
  if (lines == Lines::kRegular) return bad_head(out, 502, why);
  if (lines == Lines::kAmbiguous) return bad_head(out, 502, "a folded line where none may be");
  const auto parsed = parse_whole(out.regular, seen, out);
  out.keep_alive = false;
  return parsed;
}

// The usual head: all its lines end in CRLF, so that it ends with the first empty one.
bool parse_usual(std::string_view data, size_t scanned, SeenFields& seen, ResponseHead& out, size_t& end) {
  constexpr std::string_view kEnd = "\r\n\r\n";
  end = data.find(kEnd, scanned > kEnd.size() ? scanned - kEnd.size() : 0);
  if (end == std::string_view::npos) return false;
  end += kEnd.size();
  return end <= kMaxResponseHead && parse_whole(data.substr(0, end), seen, out) == Parse::kComplete;
}

}  // namespace

Parse parse_response(std::string_view data, size_t scanned, bool to_head, ResponseHead& out) {
  out.too_large = false;
  SeenFields seen;
  size_t end = 0;
  if (!parse_usual(data, scanned, seen, out, end)) {
    end = find_empty_line(data, scanned);
    if (end == std::string_view::npos || end > kMaxResponseHead) {
      reset_head(out);
      if (data.size() <= kMaxResponseHead) return Parse::kIncomplete;
      out.too_large = true;
      return bad_head(out, 502, "response head too large");
    }
    if (parse_irregular(data.substr(0, end), seen, out) == Parse::kBad) return Parse::kBad;
  }
  out.bytes = end;
  out.restate_length = seen.restate;
  if (to_head || out.status < 200 || out.status == 204 || out.status == 304) return Parse::kComplete;
  out.framing = seen.chunked ? Framing::kChunked : (seen.length ? Framing::kLength : Framing::kUntilClose);
  if (out.framing == Framing::kLength && out.length == 0) out.framing = Framing::kNone;
  if (out.framing == Framing::kUntilClose) out.keep_alive = false;
  return Parse::kComplete;
}

}  // namespace skiff::edge
