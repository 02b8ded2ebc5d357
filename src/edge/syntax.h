// The small syntax that all heads share (RFC 9110 5.6, RFC 9112 2.2): tokens, field text, lines. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace skiff::edge {

constexpr char to_lower_ascii(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool is_token(std::string_view text);
// No control characters but the tab.
bool is_field_text(std::string_view text);
std::string_view trim_blanks(std::string_view text);
// `lower` is in lower case.
bool same_name(std::string_view a, std::string_view lower);
// The same where '_' counts as '-': some servers read the one as the other.
bool reads_as(std::string_view a, std::string_view lower);
// Whether a comma-separated list holds the token.
bool has_token(std::string_view list, std::string_view lower);
// Digits only, at most 18 of them.
bool parse_length(std::string_view text, uint64_t& out);
// The next line without its CRLF; false when it ends in a bare LF or holds a bare CR.
bool take_line(std::string_view& data, std::string_view& line);

}  // namespace skiff::edge
