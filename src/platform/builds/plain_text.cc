#include "platform/builds/plain_text.h"

#include <utility>

#include "base/utf8.h"

namespace skiff::platform {

namespace {

constexpr unsigned char kEscapeByte = 0x1b, kBell = 0x07, kDelete = 0x7f;
constexpr std::string_view kUnknown = "\xEF\xBF\xBD";  // U+FFFD

size_t length_of(unsigned char first) {
  return first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
}

// U+0080 to U+009F do what ESC and a letter do.
bool is_control(std::string_view character) {
  return character.size() == 2 && character[0] == '\xC2' && static_cast<unsigned char>(character[1]) < 0xa0;
}

}  // namespace

void PlainText::end_character(std::string& out) {
  if (character_.empty()) return;
  const bool whole = utf8_sequence_length(character_) == character_.size();
  if (!whole) out += kUnknown;
  if (whole && !is_control(character_)) out += character_;
  character_.clear();
}

void PlainText::take_text(unsigned char byte, std::string& out) {
  const bool continues = (byte & 0xc0) == 0x80;
  if (continues && !character_.empty()) {
    character_ += static_cast<char>(byte);
    if (character_.size() == length_of(static_cast<unsigned char>(character_[0]))) end_character(out);
    return;
  }
  end_character(out);
  const bool returned = std::exchange(returned_, false);
  if (byte == kEscapeByte) {
    state_ = State::kEscape;
  } else if (byte == '\r') {
    if (!returned) out += '\n';
    returned_ = true;
  } else if (byte == '\n') {
    if (!returned) out += '\n';
  } else if (byte == '\t' || (byte >= ' ' && byte < kDelete)) {
    out += static_cast<char>(byte);
  } else if (byte > kDelete) {
    character_ = static_cast<char>(byte);
    if (continues) end_character(out);
  }
}

void PlainText::take_escape(unsigned char byte) {
  if (byte == '[') {
    state_ = State::kSequence;
  } else if (byte == ']' || byte == 'P' || byte == 'X' || byte == '^' || byte == '_') {
    state_ = State::kString;
  } else if (byte < ' ' || byte > '/') {  // those only come before the last byte
    state_ = State::kText;
  }
}

void PlainText::take_byte(unsigned char byte, std::string& out) {
  // No sequence goes beyond its line: one that is broken hides no more than that.
  if (byte == '\n' || byte == '\r') state_ = State::kText;
  switch (state_) {
    case State::kText:
      take_text(byte, out);
      return;
    case State::kEscape:
      take_escape(byte);
      return;
    case State::kSequence:
      if (byte == kEscapeByte) state_ = State::kEscape;
      if (byte >= '@' && byte <= '~') state_ = State::kText;
      return;
    case State::kString:
      if (byte == kBell) state_ = State::kText;
      if (byte == kEscapeByte) state_ = State::kStringEscape;
      return;
    case State::kStringEscape:
      state_ = State::kEscape;
      take_escape(byte);
      return;
  }
}

std::string PlainText::take(std::string_view piece) {
  std::string out;
  out.reserve(piece.size());
  for (const char byte : piece) take_byte(static_cast<unsigned char>(byte), out);
  return out;
}

std::string plain_text(std::string_view text) {
  return PlainText().take(text);
}

}  // namespace skiff::platform
