#include <fmt/format.h>

#include <cmath>

#include "base/json.h"
#include "base/utf8.h"

namespace skiff::json {

namespace {

constexpr char kHex[] = "0123456789abcdef";

void append_escaped(unsigned char c, std::string& out) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    default:
      out += "\\u00";
      out += kHex[c >> 4];
      out += kHex[c & 15];
  }
}

bool is_plain(unsigned char c) {
  return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

void encode_double(double value, std::string& out) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  // Whole numbers in the range of exact integers are written without a fraction, as Go does.
  constexpr double kExactIntegers = 9007199254740992.0;
  if (value == std::floor(value) && std::abs(value) < kExactIntegers) {
    out += fmt::format("{}", static_cast<int64_t>(value));
  } else {
    out += fmt::format("{}", value);
  }
}

// Line breaks and indentation; nothing when `indent` is 0.
struct Layout {
  int indent = 0;
  int depth = 0;
  void line(std::string& out) const {
    if (indent == 0) return;
    out += '\n';
    out.append(static_cast<size_t>(indent * depth), ' ');
  }
};

void encode_value(const Value& value, std::string& out, Layout& layout);

void encode_array(const Value& value, std::string& out, Layout& layout) {
  out += '[';
  ++layout.depth;
  bool first = true;
  for (const Value& item : value.items()) {
    if (!first) out += ',';
    first = false;
    layout.line(out);
    encode_value(item, out, layout);
  }
  --layout.depth;
  if (!first) layout.line(out);
  out += ']';
}

void encode_object(const Value& value, std::string& out, Layout& layout) {
  out += '{';
  ++layout.depth;
  bool first = true;
  for (const auto& [key, member] : value.members()) {
    if (!first) out += ',';
    first = false;
    layout.line(out);
    encode_string_to(key, out);
    out += layout.indent ? ": " : ":";
    encode_value(member, out, layout);
  }
  --layout.depth;
  if (!first) layout.line(out);
  out += '}';
}

void encode_value(const Value& value, std::string& out, Layout& layout) {
  switch (value.kind()) {
    case Kind::kNull:
      out += "null";
      return;
    case Kind::kBool:
      out += value.as_bool() ? "true" : "false";
      return;
    case Kind::kInt:
      fmt::format_to(std::back_inserter(out), "{}", value.as_int());
      return;
    case Kind::kUint:
      fmt::format_to(std::back_inserter(out), "{}", value.as_uint());
      return;
    case Kind::kDouble:
      encode_double(value.as_double(), out);
      return;
    case Kind::kString:
      encode_string_to(value.str(), out);
      return;
    case Kind::kArray:
      encode_array(value, out, layout);
      return;
    case Kind::kObject:
      encode_object(value, out, layout);
      return;
  }
}

}  // namespace

void encode_string_to(std::string_view text, std::string& out) {
  out += '"';
  size_t plain_from = 0;
  size_t at = 0;
  while (at < text.size()) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (is_plain(c)) {
      ++at;
      continue;
    }
    out.append(text, plain_from, at - plain_from);
    if (c < 0x80) {
      append_escaped(c, out);
      ++at;
    } else if (const size_t length = utf8_sequence_length(text.substr(at))) {
      out.append(text, at, length);
      at += length;
    } else {
      out += "\xEF\xBF\xBD";
      ++at;
    }
    plain_from = at;
  }
  out.append(text, plain_from, text.size() - plain_from);
  out += '"';
}

void encode_to(const Value& value, std::string& out) {
  Layout layout;
  encode_value(value, out, layout);
}

std::string encode(const Value& value) {
  std::string out;
  encode_to(value, out);
  return out;
}

std::string encode_pretty(const Value& value, int indent) {
  std::string out;
  Layout layout{indent, 0};
  encode_value(value, out, layout);
  return out;
}

}  // namespace skiff::json
