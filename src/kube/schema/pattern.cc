#include "kube/schema/pattern.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <cctype>
#include <map>

namespace skiff::kube {
namespace {

constexpr int64_t kMaxMemory = 1 << 20;  // bytes of one pattern's program and of the states made of it
constexpr size_t kMaxText = 16 << 10;    // bytes of a pattern: reading one is not linear in its length
constexpr size_t kMaxQuoted = 1024;      // bytes of a pattern that an error repeats
constexpr size_t kMaxKept = 64;          // patterns, so that all together are bounded too

class Compiled final : public Pattern {
 public:
  explicit Compiled(const std::string& text) : matcher_(text, options()) {}
  const RE2& matcher() const { return matcher_; }
  bool is_in(std::string_view text) const override {
    return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), matcher_);
  }
  size_t steps_for(std::string_view text) const override {
    return (text.size() + 1) * static_cast<size_t>(std::max(matcher_.ProgramSize(), 1));
  }

 private:
  static RE2::Options options() {
    RE2::Options out;
    out.set_max_mem(kMaxMemory);
    out.set_log_errors(false);
    return out;
  }
  RE2 matcher_;
};

// Go's words for what is wrong.
std::string_view words_for(RE2::ErrorCode code) {
  switch (code) {
    case RE2::ErrorBadEscape:
      return "invalid escape sequence";
    case RE2::ErrorBadCharClass:
      return "invalid character class";
    case RE2::ErrorBadCharRange:
      return "invalid character class range";
    case RE2::ErrorMissingBracket:
      return "missing closing ]";
    case RE2::ErrorMissingParen:
      return "missing closing )";
    case RE2::ErrorUnexpectedParen:
      return "unexpected )";
    case RE2::ErrorTrailingBackslash:
      return "trailing backslash at end of expression";
    case RE2::ErrorRepeatArgument:
      return "missing argument to repetition operator";
    case RE2::ErrorRepeatSize:
      return "invalid repeat count";
    case RE2::ErrorRepeatOp:
      return "invalid nested repetition operator";
    case RE2::ErrorBadPerlOp:
      return "invalid or unsupported Perl syntax";
    case RE2::ErrorBadUTF8:
      return "invalid UTF-8";
    case RE2::ErrorBadNamedCapture:
      return "invalid named capture";
    case RE2::ErrorPatternTooLarge:
      return "expression too large";
    default:
      return "internal error";
  }
}

// Go also reads "(?<name>" where this RE2 knows "(?P<name>" alone.
std::string with_named_groups(const std::string& text) {
  std::string out;
  bool in_class = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      out.append(text, i++, 2);
      continue;
    }
    if (!in_class && text.compare(i, 3, "(?<") == 0 && i + 3 < text.size() &&
        (std::isalpha(static_cast<unsigned char>(text[i + 3])) != 0 || text[i + 3] == '_')) {
      out += "(?P<";
      i += 2;
      continue;
    }
    if (text[i] == '[') in_class = true;
    if (text[i] == ']') in_class = false;
    out += text[i];
  }
  return out;
}

}  // namespace

Result<std::shared_ptr<const Pattern>> Pattern::compile(const std::string& text) {
  if (text.size() > kMaxText) {
    return fail(Code::kInvalidArgument, fmt::format("error parsing regexp: expression too large: `{}`",
                                                    std::string_view(text).substr(0, kMaxQuoted)));
  }
  thread_local std::map<std::string, std::shared_ptr<const Pattern>> kept;
  if (const auto found = kept.find(text); found != kept.end()) return found->second;
  auto made = std::make_shared<const Compiled>(with_named_groups(text));
  if (!made->matcher().ok()) {
    const RE2& matcher = made->matcher();
    const std::string& part = matcher.error_code() == RE2::ErrorPatternTooLarge ? text : matcher.error_arg();
    return fail(Code::kInvalidArgument,
                fmt::format("error parsing regexp: {}: `{}`", words_for(matcher.error_code()),
                            part.substr(0, kMaxQuoted)));
  }
  if (kept.size() >= kMaxKept) kept.clear();
  kept.emplace(text, made);
  return made;
}

}  // namespace skiff::kube
