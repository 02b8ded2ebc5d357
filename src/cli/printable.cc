#include "cli/printable.h"

#include <fmt/core.h>

#include <cstdint>

#include "base/utf8.h"

namespace skiff::cli {

namespace {

// The code point of a valid sequence.
uint32_t decode(std::string_view sequence) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(sequence[i]); };
  constexpr unsigned char kFirstBits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};  // by length
  uint32_t point = byte(0) & kFirstBits[sequence.size()];
  for (size_t i = 1; i < sequence.size(); ++i) point = point << 6 | (byte(i) & 0x3F);
  return point;
}

bool is_control(uint32_t point) {
  if (point == '\n' || point == '\t') return false;
  return point < 0x20 || (point >= 0x7F && point < 0xA0);
}

// Separators that some terminals take for line ends, and marks that reorder what stands around them (UAX 9).
bool misleads(uint32_t point) {
  return point == 0x061C || point == 0x200E || point == 0x200F || (point >= 0x2028 && point <= 0x202E) ||
         (point >= 0x2066 && point <= 0x2069) || point == 0xFEFF;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t length = utf8_sequence_length(text);
    if (length == 0) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
      text.remove_prefix(1);
      continue;
    }
    const std::string_view sequence = text.substr(0, length);
    const uint32_t point = decode(sequence);
    if (!is_control(point) && !misleads(point)) {
      out += sequence;
    } else if (point < 0x100) {
      out += fmt::format("\\x{:02x}", point);
    } else {
      out += fmt::format("\\u{:04x}", point);
    }
    text.remove_prefix(length);
  }
  return out;
}

}  // namespace skiff::cli
