#include "base/yaml_scalar.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string>

#include "base/strings.h"

namespace skiff::yaml {

namespace {

constexpr std::string_view kTagPrefix = "tag:yaml.org,2002:";

template <size_t N>
bool is_one_of(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::ranges::find(words, text) != words.end();
}

bool is_null_word(std::string_view text) {
  return is_one_of(text, std::to_array<std::string_view>({"", "~", "null", "Null", "NULL"}));
}

// YAML 1.1 booleans without the single letters, which go-yaml leaves strings.
std::optional<bool> bool_word(std::string_view text) {
  if (is_one_of(text, std::to_array<std::string_view>(
                          {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"}))) {
    return true;
  }
  if (is_one_of(text, std::to_array<std::string_view>(
                          {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"}))) {
    return false;
  }
  return std::nullopt;
}

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 99;
}

std::optional<json::Value> integer_of(std::string_view text) {
  bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  unsigned base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) base = 16;
  if (text.starts_with("0b") || text.starts_with("0B")) base = 2;
  if (text.starts_with("0o") || text.starts_with("0O")) base = 8;
  if (base != 10) {
    text.remove_prefix(2);
  } else if (text.size() > 1 && text[0] == '0') {
    base = 8;
    text.remove_prefix(1);
  }
  if (text.empty()) return std::nullopt;
  uint64_t value = 0;
  for (char c : text) {
    unsigned digit = static_cast<unsigned>(digit_of(c));
    if (digit >= base || value > (std::numeric_limits<uint64_t>::max() - digit) / base) return std::nullopt;
    value = value * base + digit;
  }
  if (!negative) return json::Value(static_cast<unsigned long>(value));
  if (value > uint64_t{1} << 63) return std::nullopt;
  return json::Value(static_cast<long>(-value));
}

bool is_float_form(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  size_t at = 0, digits = 0;
  for (; at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])); ++at) ++digits;
  if (at < text.size() && text[at] == '.') {
    for (++at; at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])); ++at) ++digits;
  }
  if (digits == 0) return false;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    size_t first = at;
    while (at < text.size() && std::isdigit(static_cast<unsigned char>(text[at]))) ++at;
    if (at == first) return false;
  }
  return at == text.size();
}

// Underscores separate digits in YAML 1.1 numbers. One too large for JSON is a text, as for upstream.
json::Value number_or_text(std::string_view text) {
  std::string plain = replace_all(std::string(text), "_", "");
  if (text.empty() || text.front() == '_') return text;
  if (auto value = integer_of(plain)) return *value;
  if (is_float_form(plain)) {
    const double value = std::strtod(plain.c_str(), nullptr);
    if (std::isfinite(value)) return value;
  }
  return text;
}

json::Value resolve_plain(std::string_view text) {
  if (is_null_word(text)) return nullptr;
  if (auto value = bool_word(text)) return *value;
  char first = text.front();
  bool numeric =
      std::isdigit(static_cast<unsigned char>(first)) || first == '-' || first == '+' || first == '.';
  return numeric ? number_or_text(text) : json::Value(text);
}

bool is_not_json(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return is_one_of(text, std::to_array<std::string_view>({".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"}));
}

}  // namespace

Result<json::Value> resolve_scalar(std::string_view text, std::string_view tag, ScalarStyle style) {
  if (tag.starts_with(kTagPrefix)) tag.remove_prefix(kTagPrefix.size());
  if (tag == "binary") {
    if (auto bytes = base64_decode(text)) return json::Value(std::move(*bytes));
    return fail(Code::kInvalidArgument, "yaml: !!binary value contains invalid base64 data");
  }
  const bool typed = tag == "int" || tag == "float" || tag == "bool" || tag == "null";
  if (style == ScalarStyle::kQuoted && !typed) return json::Value(text);
  if (is_not_json(text)) {
    return fail(Code::kInvalidArgument,
                fmt::format("yaml: {} has no JSON form: write a number or quote it", text));
  }
  return resolve_plain(text);
}

}  // namespace skiff::yaml
