#include "kube/selector/label_parser.h"

#include <fmt/core.h>

#include <algorithm>

namespace skiff::kube {

namespace {

enum class Token {
  kError,
  kEnd,
  kClose,
  kComma,
  kNot,
  kDoubleEquals,
  kEquals,
  kGreater,
  kIdentifier,
  kIn,
  kLess,
  kNotEquals,
  kNotIn,
  kOpen,
};

struct Scanned {
  Token token = Token::kEnd;
  std::string literal;
};

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
bool is_special(char c) {
  return std::string_view("=!(),><").find(c) != std::string_view::npos;
}

Token special_token(std::string_view text) {
  if (text == ")") return Token::kClose;
  if (text == ",") return Token::kComma;
  if (text == "!") return Token::kNot;
  if (text == "==") return Token::kDoubleEquals;
  if (text == "=") return Token::kEquals;
  if (text == ">") return Token::kGreater;
  if (text == "<") return Token::kLess;
  if (text == "!=") return Token::kNotEquals;
  if (text == "(") return Token::kOpen;
  return Token::kError;
}

Scanned scan_special(std::string_view text, size_t& at) {
  Scanned last{Token::kError, ""};
  std::string buffer;
  while (at < text.size() && is_special(text[at])) {
    buffer += text[at];
    Token token = special_token(buffer);
    if (token == Token::kError && last.token != Token::kError) break;
    if (token != Token::kError) last = {token, buffer};
    ++at;
  }
  if (last.token == Token::kError) last.literal = fmt::format("error expected: keyword found '{}'", buffer);
  return last;
}

std::vector<Scanned> scan(std::string_view text) {
  std::vector<Scanned> tokens;
  size_t at = 0;
  while (at < text.size()) {
    if (is_space(text[at])) {
      ++at;
    } else if (is_special(text[at])) {
      tokens.push_back(scan_special(text, at));
    } else {
      size_t begin = at;
      while (at < text.size() && !is_space(text[at]) && !is_special(text[at])) ++at;
      std::string word(text.substr(begin, at - begin));
      Token token = word == "in" ? Token::kIn : word == "notin" ? Token::kNotIn : Token::kIdentifier;
      tokens.push_back({token, std::move(word)});
    }
  }
  tokens.push_back({Token::kEnd, ""});
  return tokens;
}

std::unexpected<Error> found(std::string_view literal, std::string_view expected) {
  return fail(Code::kInvalidArgument, fmt::format("found '{}', expected: {}", literal, expected));
}

class Parser {
 public:
  explicit Parser(std::string_view text) : tokens_(scan(text)) {}

  Result<std::vector<Requirement>> run() {
    std::vector<Requirement> result;
    for (;;) {
      Scanned next = peek();
      if (next.token == Token::kEnd) return result;
      if (!starts_requirement(next.token)) return found(next.literal, "!, identifier, or 'end of string'");
      auto requirement = parse_requirement();
      if (!requirement) return wrap(requirement.error(), "unable to parse requirement");
      result.push_back(std::move(*requirement));
      Scanned after = take();
      if (after.token == Token::kEnd) return result;
      if (after.token != Token::kComma) return found(after.literal, "',' or 'end of string'");
      if (!starts_requirement(peek().token)) return found(peek().literal, "identifier after ','");
    }
  }

 private:
  using Operator = Requirement::Operator;

  static bool starts_requirement(Token token) { return token == Token::kIdentifier || token == Token::kNot; }

  // "in" and "notin" are words like others except where an operator stands.
  Scanned peek() const {
    Scanned next = tokens_[std::min(at_, tokens_.size() - 1)];
    if (next.token == Token::kIn || next.token == Token::kNotIn) next.token = Token::kIdentifier;
    return next;
  }
  Scanned take() {
    Scanned next = peek();
    ++at_;
    return next;
  }
  Scanned take_operator() {
    Scanned next = tokens_[std::min(at_, tokens_.size() - 1)];
    ++at_;
    return next;
  }

  Result<Requirement> parse_requirement() {
    Requirement result;
    Scanned key = take();
    bool negated = key.token == Token::kNot;
    if (negated) key = take();
    if (key.token != Token::kIdentifier) return found(key.literal, "identifier");
    result.key = key.literal;
    result.op = Operator::kExists;
    SKIFF_RETURN_IF_ERROR(check_requirement(result));
    Token next = peek().token;
    if (negated || next == Token::kEnd || next == Token::kComma) {
      result.op = negated ? Operator::kDoesNotExist : Operator::kExists;
      return result;
    }
    SKIFF_RETURN_IF_ERROR(parse_operator(result));
    SKIFF_RETURN_IF_ERROR(parse_operands(result));
    SKIFF_RETURN_IF_ERROR(check_requirement(result));
    return result;
  }

  Result<void> parse_operator(Requirement& out) {
    Scanned next = take_operator();
    switch (next.token) {
      case Token::kIn:
        out.op = Operator::kIn;
        return {};
      case Token::kNotIn:
        out.op = Operator::kNotIn;
        return {};
      case Token::kEquals:
      case Token::kDoubleEquals:
        out.op = Operator::kEquals;
        return {};
      case Token::kNotEquals:
        out.op = Operator::kNotEquals;
        return {};
      case Token::kGreater:
        out.op = Operator::kGreater;
        return {};
      case Token::kLess:
        out.op = Operator::kLess;
        return {};
      default:
        return found(next.literal, "in, notin, =, ==, !=, gt, lt");
    }
  }

  Result<void> parse_operands(Requirement& out) {
    if (out.op == Operator::kIn || out.op == Operator::kNotIn) return parse_set(out.values);
    Token next = peek().token;
    if (next == Token::kEnd || next == Token::kComma) {
      out.values = {""};
      return {};
    }
    Scanned value = take();
    if (value.token != Token::kIdentifier) return found(value.literal, "identifier");
    out.values = {value.literal};
    return {};
  }

  Result<void> parse_set(std::vector<std::string>& values) {
    Scanned open = take();
    if (open.token != Token::kOpen) {
      return fail(Code::kInvalidArgument, fmt::format("found '{}' expected: '('", open.literal));
    }
    Scanned first = peek();
    if (first.token == Token::kClose) {
      // Nothing between the parentheses is one empty value.
      values = {""};
      ++at_;
      return {};
    }
    if (first.token != Token::kIdentifier && first.token != Token::kComma) {
      return found(first.literal, "',', ')' or identifier");
    }
    SKIFF_RETURN_IF_ERROR(parse_values(values));
    if (take().token != Token::kClose) return found(first.literal, "')'");
    std::ranges::sort(values);
    values.erase(std::unique(values.begin(), values.end()), values.end());
    return {};
  }

  // Up to, not including, the closing parenthesis. Empty places between commas are empty values.
  Result<void> parse_values(std::vector<std::string>& values) {
    for (;;) {
      Scanned next = take();
      if (next.token == Token::kIdentifier) {
        values.push_back(next.literal);
        Scanned after = peek();
        if (after.token == Token::kClose) return {};
        if (after.token != Token::kComma) return found(after.literal, "',' or ')'");
      } else if (next.token == Token::kComma) {
        if (values.empty()) values.emplace_back();
        if (peek().token == Token::kClose) {
          values.emplace_back();
          return {};
        }
        if (peek().token == Token::kComma) {
          ++at_;
          values.emplace_back();
        }
      } else {
        return found(next.literal, "',', or identifier");
      }
    }
  }

  std::vector<Scanned> tokens_;
  size_t at_ = 0;
};

}  // namespace

Result<std::vector<Requirement>> parse_label_requirements(std::string_view text) {
  return Parser(text).run();
}

}  // namespace skiff::kube
