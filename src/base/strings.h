// Small string tools.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace skiff {

// "a,,b" by ',' gives "a", "", "b"; an empty text gives one empty piece.
std::vector<std::string> split(std::string_view text, char separator);
// The two sides of the first separator; the second is empty (and `found` false) when there is none.
struct Halves {
  std::string_view before, after;
  bool found = false;
};
Halves split_once(std::string_view text, std::string_view separator);
std::string join(const std::vector<std::string>& pieces, std::string_view separator);
std::string_view trim(std::string_view text);
std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);
bool equals_ignore_case(std::string_view a, std::string_view b);
std::string replace_all(std::string text, std::string_view from, std::string_view to);

// A whole decimal number, nothing else.
std::optional<int64_t> parse_int(std::string_view text);
std::optional<uint64_t> parse_uint(std::string_view text);

std::string hex(std::string_view bytes);
// 0 to 15; -1 for any other character.
constexpr int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}
// Standard alphabet with padding (RFC 4648 section 4).
std::string base64_encode(std::string_view bytes);
std::optional<std::string> base64_decode(std::string_view text);
// URL-safe alphabet without padding (RFC 4648 section 5).
std::string base64url_encode(std::string_view bytes);

// Percent encoding of everything but unreserved characters (RFC 3986).
std::string url_encode(std::string_view text);
// `plus_is_space` for query strings. Nothing when an escape is malformed.
enum class Plus { kIsPlus, kIsSpace };
std::optional<std::string> url_decode(std::string_view text, Plus plus = Plus::kIsPlus);

// Compares in time that depends only on the lengths; for secrets.
bool equals_constant_time(std::string_view a, std::string_view b);

}  // namespace skiff
