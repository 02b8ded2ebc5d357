// The small syntax that all heads share (RFC 9110 5.6, RFC 9112 2.2): tokens, field text, lines. Pure;
// inline, since every byte of a head passes here.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace skiff::edge {

constexpr char to_lower_ascii(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

constexpr std::array<bool, 256> make_token_table() {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[static_cast<size_t>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[static_cast<size_t>(c)] = table[static_cast<size_t>(c - 32)] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<size_t>(c)] = true;
  return table;
}
inline constexpr auto kTokenTable = make_token_table();
inline constexpr size_t kMaxLengthDigits = 18;  // fits 64 bits with room

inline bool is_token(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (!kTokenTable[static_cast<unsigned char>(c)]) return false;
  }
  return true;
}

// No control characters but the tab.
inline bool is_field_text(std::string_view text) {
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if ((u < 0x20 && u != '\t') || u == 0x7f) return false;
  }
  return true;
}

inline std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// `lower` is in lower case.
inline bool same_name(std::string_view a, std::string_view lower) {
  if (a.size() != lower.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (to_lower_ascii(a[i]) != lower[i]) return false;
  }
  return true;
}

// The same where '_' counts as '-': some servers read the one as the other.
inline bool reads_as(std::string_view a, std::string_view lower) {
  if (a.size() != lower.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    const char c = a[i] == '_' ? '-' : to_lower_ascii(a[i]);
    if (c != lower[i]) return false;
  }
  return true;
}

// Whether a comma-separated list holds the token.
inline bool has_token(std::string_view list, std::string_view lower) {
  for (;;) {
    const size_t comma = list.find(',');
    if (same_name(trim_blanks(list.substr(0, comma)), lower)) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
}

// Digits only, at most 18 of them.
inline bool parse_length(std::string_view text, uint64_t& out) {
  if (text.empty() || text.size() > kMaxLengthDigits) return false;
  out = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    out = out * 10 + static_cast<uint64_t>(c - '0');
  }
  return true;
}

// The first of "a, b" without its blanks; `list` loses it.
inline std::string_view take_element(std::string_view& list) {
  const size_t comma = list.find(',');
  const auto element = trim_blanks(list.substr(0, comma));
  list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  return element;
}

// The next line without its CRLF; false when it ends in a bare LF or holds a bare CR.
inline bool take_line(std::string_view& data, std::string_view& line) {
  const size_t end = data.find('\n');
  if (end == std::string_view::npos || end == 0 || data[end - 1] != '\r') return false;
  line = data.substr(0, end - 1);
  data.remove_prefix(end + 1);
  return true;
}

}  // namespace skiff::edge
