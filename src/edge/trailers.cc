#include "edge/trailers.h"

#include <algorithm>
#include <array>

#include "edge/syntax.h"

namespace skiff::edge {
namespace {

constexpr std::string_view kCrlf = "\r\n";
// RFC 9110 6.5.1 names the kinds: framing, routing, request modifiers, authentication, response control data
// and the format of the content.
constexpr std::array<std::string_view, 45> kHeadOnly{
    "age",
    "authentication-info",
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "cookie2",
    "date",
    "expect",
    "expires",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "location",
    "max-forwards",
    "pragma",
    "proxy",
    "proxy-authenticate",
    "proxy-authentication-info",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "retry-after",
    "set-cookie",
    "set-cookie2",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "vary",
    "via",
    "warning",
    "www-authenticate",
    "x-accel-redirect",
    "x-http-method-override",
    "x-original-url",
    "x-request-id",
    "x-request-start",
    "x-rewrite-url",
    "x-sendfile",
};
static_assert(std::ranges::is_sorted(kHeadOnly));
// Conditions of a request, and what the edge says about the client.
constexpr std::array<std::string_view, 2> kHeadOnlyPrefixes{"if-", "x-forwarded"};

}  // namespace

bool trailer_passes(std::string_view name) {
  // Some servers read '_' in a name as '-'.
  std::string plain(name);
  for (char& c : plain) c = c == '_' ? '-' : to_lower_ascii(c);
  if (std::ranges::binary_search(kHeadOnly, std::string_view(plain))) return false;
  return std::ranges::none_of(kHeadOnlyPrefixes,
                              [&](std::string_view prefix) { return plain.starts_with(prefix); });
}

Trailers::State Trailers::take(std::string_view data, size_t& used) {
  used = 0;
  while (used < data.size()) {
    const size_t end = data.find('\n', used);
    const size_t size = (end == std::string_view::npos ? data.size() : end + 1) - used;
    bytes_ += size;
    if (bytes_ > kMaxTrailerBytes) return State::kBad;
    line_.append(data.substr(used, size));
    used += size;
    if (end == std::string_view::npos) return State::kMore;
    if (!take_line_end()) return State::kBad;
    const State state = take_line(line_);
    if (state != State::kMore) return state;
    line_.clear();
  }
  return State::kMore;
}

bool Trailers::take_line_end() {
  line_.pop_back();
  if (line_.ends_with('\r')) {
    line_.pop_back();
    return true;
  }
  forgiven_ = true;
  return reading_ == Reading::kLenient;
}

// A line that goes on with the value of the one before (RFC 9112 5.2).
Trailers::State Trailers::take_folded(std::string_view line) {
  const auto more = trim_blanks(line);
  if (reading_ == Reading::kStrict || count_ == 0 || !is_field_text(more)) return State::kBad;
  if (!passed_ || more.empty()) return State::kMore;
  fields_.resize(fields_.size() - kCrlf.size());
  if (!fields_.ends_with(' ')) fields_ += ' ';  // behind the colon there is one
  fields_.append(more).append(kCrlf);
  return State::kMore;
}

Trailers::State Trailers::take_line(std::string_view line) {
  if (line.empty()) return State::kComplete;
  if (line.front() == ' ' || line.front() == '\t') return take_folded(line);
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos || ++count_ > kMaxFields) return State::kBad;
  const auto name = line.substr(0, colon), value = trim_blanks(line.substr(colon + 1));
  if (!is_token(name) || !is_field_text(value)) return State::kBad;
  passed_ = trailer_passes(name);
  if (passed_) fields_.append(name).append(": ").append(value).append(kCrlf);
  return State::kMore;
}

}  // namespace skiff::edge
