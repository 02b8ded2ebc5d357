#include "platform/git/answer_relay.h"

#include <fmt/core.h>

#include "base/strings.h"

namespace skiff::platform {

namespace {

constexpr size_t kLengthDigits = 4;
constexpr std::string_view kFlush = "0000";
constexpr char kMessageBand = 2, kLastBand = 3;

// Of the packet that begins the text; 0 when the digits are none.
size_t packet_length(std::string_view text) {
  size_t length = 0;
  for (const char digit : text.substr(0, kLengthDigits)) {
    const char low = static_cast<char>(digit | 0x20);
    if (digit >= '0' && digit <= '9') {
      length = length * 16 + static_cast<size_t>(digit - '0');
    } else if (low >= 'a' && low <= 'f') {
      length = length * 16 + static_cast<size_t>(low - 'a' + 10);
    } else {
      return 0;
    }
  }
  return length;
}

}  // namespace

std::string packet_line(std::string_view text) {
  return fmt::format("{:04x}{}", text.size() + kLengthDigits, text);
}

std::string AnswerRelay::add(std::string_view bytes) {
  pending_ += bytes;
  std::string out;
  size_t begin = 0;
  while (pending_.size() - begin >= kLengthDigits) {
    const std::string_view rest = std::string_view(pending_).substr(begin);
    const bool flush = rest.starts_with(kFlush);
    const size_t length = flush ? kLengthDigits : std::max(packet_length(rest), kLengthDigits);
    if (rest.size() < length) break;
    if (held_flush_) out += kFlush;
    held_flush_ = flush;
    if (!flush) {
      const bool banded =
          length > kLengthDigits && rest[kLengthDigits] >= 1 && rest[kLengthDigits] <= kLastBand;
      if (bands_ == Bands::kUnknown) bands_ = banded ? Bands::kThree : Bands::kNone;
      out += rest.substr(0, length);
    }
    begin += length;
  }
  pending_.erase(0, begin);
  return out;
}

std::string AnswerRelay::finish(std::string_view sentence) {
  std::string out;
  const bool told = !sentence.empty() && bands_ != Bands::kNone && pending_.empty();
  if (told) out = packet_line(std::string(1, kMessageBand) + fmt::format("\n !     {}\n", sentence));
  // An answer that broke off has no end of its own.
  if (held_flush_ || told) out += kFlush;
  return out + pending_;
}

}  // namespace skiff::platform
