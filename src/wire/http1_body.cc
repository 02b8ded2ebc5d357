// Bodies out of their framing (RFC 9112 6 and 7.1).
#include <algorithm>

#include "wire/http1.h"

namespace skiff::wire {

namespace {

constexpr size_t kMaxChunkLine = 256;   // a size and the extensions nobody uses
constexpr size_t kMaxChunkDigits = 16;  // leading zeros included
constexpr uint64_t kMaxChunk = (uint64_t{1} << 60) - 1;
constexpr size_t kMaxTrailerBytes = 8192;  // trailers are dropped; more than this is abuse
constexpr std::string_view kHexDigits = "0123456789abcdef";

std::unexpected<Error> malformed(std::string message) {
  return fail(Code::kInvalidArgument, std::move(message));
}

// The size in front of optional extensions.
Result<uint64_t> parse_chunk_size(std::string_view line) {
  uint64_t size = 0;
  size_t digits = 0;
  for (; digits < line.size(); ++digits) {
    const size_t value = kHexDigits.find(static_cast<char>(line[digits] | 0x20));
    const bool is_digit = line[digits] >= '0' && value != std::string_view::npos;
    if (!is_digit) break;
    size = size << 4 | value;
    if (digits >= kMaxChunkDigits || size > kMaxChunk) return malformed("a chunk size is too large");
  }
  if (digits == 0) return malformed("a chunk has no size");
  if (digits < line.size() && line[digits] != ';')
    return malformed("a chunk size has a character not allowed");
  return size;
}

// A line of the trailers must be a field, also if nobody reads it: what it would be to another server is not
// ours to guess (RFC 9112 7.1.2).
Result<void> check_trailer(std::string_view line) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return malformed("a trailer line has no colon");
  if (is_token(line.substr(0, colon))) return {};
  return malformed("a trailer's name is empty or has a character that is not allowed");
}

}  // namespace

BodyDecoder::BodyDecoder(BodyFraming framing) : state_(State::kDone), remaining_(framing.length) {
  if (framing.kind == BodyKind::kChunked) state_ = State::kSize;
  if (framing.kind == BodyKind::kUntilClose) state_ = State::kUntilClose;
  if (framing.kind == BodyKind::kLength && framing.length > 0) state_ = State::kIdentity;
}

// Collects up to a line end, keeping line_ without its CRLF once complete (then its last byte used is '\n').
Result<size_t> BodyDecoder::take_line(std::string_view input) {
  const size_t end = input.find('\n');
  const size_t used = end == std::string_view::npos ? input.size() : end + 1;
  const size_t bound = state_ == State::kTrailer ? kMaxTrailerBytes : kMaxChunkLine;
  if (line_.size() + used > bound) return malformed("a line between chunks is too long");
  line_.append(input.substr(0, used));
  if (end == std::string_view::npos) return used;
  if (!line_.ends_with("\r\n")) return malformed("a line between chunks ends without a carriage return");
  line_.resize(line_.size() - 2);
  const bool clean =
      std::ranges::all_of(line_, [](unsigned char c) { return c == '\t' || (c >= 0x20 && c != 0x7f); });
  if (!clean) return malformed("a line between chunks has a control character");
  SKIFF_RETURN_IF_ERROR(on_line());
  line_.clear();
  return used;
}

Result<void> BodyDecoder::on_line() {
  if (state_ == State::kDataEnd) {
    if (!line_.empty()) return malformed("a chunk is longer than its size");
    state_ = State::kSize;
    return {};
  }
  if (state_ == State::kTrailer) {
    trailer_bytes_ += line_.size();
    if (trailer_bytes_ > kMaxTrailerBytes) return malformed("the trailers are too large");
    if (!line_.empty()) return check_trailer(line_);
    state_ = State::kDone;
    return {};
  }
  const auto size = parse_chunk_size(line_);
  if (!size) return std::unexpected(size.error());
  remaining_ = *size;
  state_ = *size == 0 ? State::kTrailer : State::kData;
  return {};
}

Result<size_t> BodyDecoder::decode(std::string_view input, std::string& out) {
  size_t used = 0;
  while (used < input.size() && state_ != State::kDone) {
    const std::string_view rest = input.substr(used);
    if (state_ == State::kUntilClose) {
      out.append(rest);
      return input.size();
    }
    if (state_ == State::kIdentity || state_ == State::kData) {
      const size_t take = static_cast<size_t>(std::min<uint64_t>(rest.size(), remaining_));
      out.append(rest.substr(0, take));
      used += take;
      remaining_ -= take;
      if (remaining_ == 0) state_ = state_ == State::kData ? State::kDataEnd : State::kDone;
      continue;
    }
    const auto line = take_line(rest);
    if (!line) return line;
    used += *line;
  }
  return used;
}

Result<void> BodyDecoder::end_of_input() {
  if (state_ == State::kUntilClose) state_ = State::kDone;
  if (state_ == State::kDone) return {};
  return fail(Code::kUnavailable, "the connection ended in the middle of a body");
}

}  // namespace skiff::wire
