#include <fmt/core.h>

#include <charconv>

#include "base/json.h"
#include "base/utf8.h"

namespace skiff::json {

namespace {

class Parser {
 public:
  Parser(std::string_view text, const ParseOptions& options) : text_(text), options_(options) {}

  Result<Value> run() {
    Value value;
    if (!parse_value(value, "looking for beginning of value")) return failure();
    skip_space();
    if (at_ < text_.size()) {
      unexpected("after top-level value");
      return failure();
    }
    return value;
  }

 private:
  bool parse_value(Value& out, const char* where) {
    skip_space();
    if (at_ >= text_.size()) return unexpected(where);
    switch (text_[at_]) {
      case '{':
        return parse_object(out);
      case '[':
        return parse_array(out);
      case '"': {
        std::string text;
        if (!parse_string(text)) return false;
        out = Value(std::move(text));
        return true;
      }
      case 't':
        return parse_literal("true", Value(true), out);
      case 'f':
        return parse_literal("false", Value(false), out);
      case 'n':
        return parse_literal("null", Value(), out);
      default:
        return parse_number(out, where);
    }
  }

  bool parse_literal(std::string_view word, Value value, Value& out) {
    for (size_t i = 0; i < word.size(); ++i, ++at_) {
      if (at_ >= text_.size() || text_[at_] != word[i]) {
        return unexpected(fmt::format("in literal {} (expecting '{}')", word, word[i]));
      }
    }
    out = std::move(value);
    return true;
  }

  bool enter() {
    if (++depth_ > options_.max_depth) {
      error_ = fmt::format("nested deeper than {} levels at offset {}", options_.max_depth, at_);
      return false;
    }
    ++at_;
    return true;
  }

  bool parse_object(Value& out) {
    if (!enter()) return false;
    Value object = Value::object();
    skip_space();
    if (peek() == '}') return leave(out, std::move(object));
    for (;;) {
      skip_space();
      if (peek() != '"') return unexpected("looking for beginning of object key string");
      std::string key;
      if (!parse_string(key)) return false;
      skip_space();
      if (peek() != ':') return unexpected("after object key");
      ++at_;
      const size_t path_size = path_.size();
      if (options_.duplicate_keys) {
        if (!path_.empty()) path_ += '.';
        path_ += key;
      }
      Value value;
      if (!parse_value(value, "looking for beginning of value")) return false;
      const bool fresh = object.insert_or_assign(std::move(key), std::move(value));
      if (!fresh && options_.duplicate_keys) note_duplicate_key(*options_.duplicate_keys, path_);
      path_.resize(path_size);
      skip_space();
      if (peek() == '}') return leave(out, std::move(object));
      if (peek() != ',') return unexpected("after object key:value pair");
      ++at_;
    }
  }

  bool parse_array(Value& out) {
    if (!enter()) return false;
    Array items;
    skip_space();
    if (peek() == ']') return leave(out, Value(std::move(items)));
    for (;;) {
      const size_t path_size = path_.size();
      if (options_.duplicate_keys) path_ += fmt::format("[{}]", items.size());
      Value value;
      if (!parse_value(value, "looking for beginning of value")) return false;
      path_.resize(path_size);
      items.push_back(std::move(value));
      skip_space();
      if (peek() == ']') return leave(out, Value(std::move(items)));
      if (peek() != ',') return unexpected("after array element");
      ++at_;
    }
  }

  bool leave(Value& out, Value value) {
    ++at_;
    --depth_;
    out = std::move(value);
    return true;
  }

  bool parse_string(std::string& out) {
    ++at_;
    for (;;) {
      const size_t from = at_;
      while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\' &&
             static_cast<unsigned char>(text_[at_]) >= 0x20 &&
             static_cast<unsigned char>(text_[at_]) < 0x80) {
        ++at_;
      }
      out.append(text_, from, at_ - from);
      if (at_ >= text_.size()) return unexpected("in string literal");
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        return true;
      }
      if (c == '\\') {
        if (!parse_escape(out)) return false;
      } else if (static_cast<unsigned char>(c) < 0x20) {
        return unexpected("in string literal");
      } else if (const size_t length = utf8_sequence_length(text_.substr(at_))) {
        out.append(text_, at_, length);
        at_ += length;
      } else {
        append_utf8(0xFFFD, out);
        ++at_;
      }
    }
  }

  bool parse_escape(std::string& out) {
    ++at_;
    if (at_ >= text_.size()) return unexpected("in string escape code");
    switch (text_[at_]) {
      case '"':
        out += '"';
        break;
      case '\\':
        out += '\\';
        break;
      case '/':
        out += '/';
        break;
      case 'b':
        out += '\b';
        break;
      case 'f':
        out += '\f';
        break;
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case 't':
        out += '\t';
        break;
      case 'u':
        return parse_unicode(out);
      default:
        return unexpected("in string escape code");
    }
    ++at_;
    return true;
  }

  bool parse_hex4(uint32_t& value) {
    ++at_;
    value = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = peek();
      uint32_t digit = 0;
      if (c >= '0' && c <= '9') {
        digit = static_cast<uint32_t>(c - '0');
      } else if (c >= 'a' && c <= 'f') {
        digit = static_cast<uint32_t>(c - 'a' + 10);
      } else if (c >= 'A' && c <= 'F') {
        digit = static_cast<uint32_t>(c - 'A' + 10);
      } else {
        return unexpected("in \\u hexadecimal character escape");
      }
      value = value * 16 + digit;
    }
    return true;
  }

  // A lone surrogate becomes U+FFFD, as in Go.
  bool parse_unicode(std::string& out) {
    uint32_t unit = 0;
    if (!parse_hex4(unit)) return false;
    if (unit >= 0xD800 && unit < 0xDC00 && text_.substr(at_).starts_with("\\u")) {
      const size_t second = at_;
      ++at_;
      uint32_t low = 0;
      if (!parse_hex4(low)) return false;
      if (low >= 0xDC00 && low < 0xE000) {
        append_utf8(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00), out);
        return true;
      }
      at_ = second;
    }
    append_utf8(unit >= 0xD800 && unit < 0xE000 ? 0xFFFD : unit, out);
    return true;
  }

  bool digits() {
    if (peek() < '0' || peek() > '9') return false;
    while (peek() >= '0' && peek() <= '9') ++at_;
    return true;
  }

  bool parse_number(Value& out, const char* where) {
    const size_t from = at_;
    bool whole = true;
    if (peek() == '-') {
      ++at_;
      if (peek() < '0' || peek() > '9') return unexpected("in numeric literal");
    } else if (peek() < '0' || peek() > '9') {
      return unexpected(where);
    }
    if (peek() == '0') {
      ++at_;
    } else {
      digits();
    }
    if (peek() == '.') {
      whole = false;
      ++at_;
      if (!digits()) return unexpected("after decimal point in numeric literal");
    }
    if (peek() == 'e' || peek() == 'E') {
      whole = false;
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      if (!digits()) return unexpected("in exponent of numeric literal");
    }
    out = number_value(text_.substr(from, at_ - from), whole);
    return true;
  }

  static Value number_value(std::string_view text, bool whole) {
    const char* end = text.data() + text.size();
    if (whole) {
      int64_t number = 0;
      if (std::from_chars(text.data(), end, number).ec == std::errc()) return Value(number);
      uint64_t large = 0;
      if (std::from_chars(text.data(), end, large).ec == std::errc()) return Value(large);
    }
    double number = 0;
    std::from_chars(text.data(), end, number);
    return Value(number);
  }

  void skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) {
      ++at_;
    }
  }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  bool unexpected(std::string_view where) {
    if (at_ >= text_.size()) {
      error_ = "unexpected end of JSON input";
      return false;
    }
    const auto c = static_cast<unsigned char>(text_[at_]);
    const size_t length = utf8_sequence_length(text_.substr(at_));
    std::string shown = c == '\''                 ? "\\'"
                        : c == '\n'               ? "\\n"
                        : c == '\t'               ? "\\t"
                        : c == '\r'               ? "\\r"
                        : c < 0x20 || length == 0 ? fmt::format("\\x{:02x}", c)
                                                  : std::string(text_.substr(at_, length));
    error_ = fmt::format("invalid character '{}' {}", shown, where);
    return false;
  }

  std::unexpected<Error> failure() const { return fail(Code::kInvalidArgument, error_); }

  std::string_view text_;
  const ParseOptions& options_;
  size_t at_ = 0;
  size_t depth_ = 0;
  std::string path_;
  std::string error_;
};

}  // namespace

void note_duplicate_key(std::vector<std::string>& found, std::string_view path) {
  if (found.size() < kMaxDuplicateKeys) found.emplace_back(path.substr(0, kMaxShownPath));
}

Result<Value> parse(std::string_view text, const ParseOptions& options) {
  return Parser(text, options).run();
}

}  // namespace skiff::json
