// UTF-8 checks (RFC 3629).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace skiff {

// The length in bytes of the valid sequence that `text` starts with, 0 when it starts with none.
size_t utf8_sequence_length(std::string_view text);
bool is_utf8(std::string_view text);
// The beginning of the text, of `most` bytes or a few less, so that it ends in no half of a character.
std::string_view utf8_prefix(std::string_view text, size_t most);
// Appends the sequence of a code point below 0x110000.
void append_utf8(uint32_t code_point, std::string& out);

}  // namespace skiff
