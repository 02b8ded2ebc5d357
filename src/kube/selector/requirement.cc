#include <fmt/core.h>

#include <cctype>

#include "base/strings.h"
#include "kube/selector/label_parser.h"

namespace skiff::kube {

namespace {

constexpr size_t kMaxLabelName = 63;
constexpr size_t kMaxLabelPrefix = 253;
constexpr const char* kNameForm =
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
constexpr const char* kValueForm =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
    "start "
    "and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for "
    "validation "
    "is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
constexpr const char* kPrefixForm =
    "prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and "
    "must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

bool alphanumeric(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

bool is_label_word(std::string_view text) {
  if (text.empty() || !alphanumeric(text.front()) || !alphanumeric(text.back())) return false;
  for (char c : text) {
    if (!alphanumeric(c) && c != '-' && c != '_' && c != '.') return false;
  }
  return true;
}

bool is_dns_label(std::string_view text) {
  auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (text.empty() || !plain(text.front()) || !plain(text.back())) return false;
  for (char c : text) {
    if (!plain(c) && c != '-') return false;
  }
  return true;
}

bool is_subdomain(std::string_view text) {
  for (const auto& piece : split(text, '.')) {
    if (!is_dns_label(piece)) return false;
  }
  return true;
}

std::string key_fault(std::string_view key) {
  auto [prefix, name, slash] = split_once(key, "/");
  if (!slash) {
    name = prefix;
  } else {
    if (prefix.empty()) return "prefix part must be non-empty";
    if (prefix.size() > kMaxLabelPrefix) return "prefix part must be no more than 253 bytes";
    if (!is_subdomain(prefix)) return kPrefixForm;
    if (name.find('/') != std::string_view::npos) {
      return "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and "
             "end with "
             "an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
             "validation is "
             "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' "
             "(e.g. "
             "'example.com/MyName')";
    }
  }
  if (name.empty()) return "name part must be non-empty";
  if (name.size() > kMaxLabelName) return "name part must be no more than 63 bytes";
  return is_label_word(name) ? "" : kNameForm;
}

std::string value_fault(std::string_view value) {
  if (value.size() > kMaxLabelName) return "must be no more than 63 bytes";
  return value.empty() || is_label_word(value) ? "" : kValueForm;
}

std::unexpected<Error> invalid(std::string_view field, std::string_view value, std::string_view why) {
  return fail(Code::kInvalidArgument, fmt::format("{}: Invalid value: {}: {}", field, value, why));
}

Result<void> check_values(const Requirement& requirement) {
  using Operator = Requirement::Operator;
  const auto& values = requirement.values;
  std::string quoted = "[";
  for (const auto& value : values) quoted += (quoted.size() > 1 ? ",\"" : "\"") + value + "\"";
  quoted += "]";
  switch (requirement.op) {
    case Operator::kIn:
    case Operator::kNotIn:
      if (values.empty())
        return invalid("values", quoted, "for 'in', 'notin' operators, values set can't be empty");
      return {};
    case Operator::kExists:
    case Operator::kDoesNotExist:
      if (!values.empty())
        return invalid("values", quoted, "values set must be empty for exists and does not exist");
      return {};
    case Operator::kGreater:
    case Operator::kLess:
      if (values.size() != 1)
        return invalid("values", quoted, "for 'Gt', 'Lt' operators, exactly one value is required");
      if (!parse_int(values[0])) {
        return invalid("values[0]", "\"" + values[0] + "\"",
                       "for 'Gt', 'Lt' operators, the value must be an integer");
      }
      return {};
    default:
      if (values.size() != 1)
        return invalid("values", quoted, "exact-match compatibility requires one single value");
      return {};
  }
}

}  // namespace

Result<void> check_requirement(const Requirement& requirement) {
  if (auto fault = key_fault(requirement.key); !fault.empty()) {
    return invalid("key", "\"" + requirement.key + "\"", fault);
  }
  SKIFF_RETURN_IF_ERROR(check_values(requirement));
  for (size_t i = 0; i < requirement.values.size(); ++i) {
    auto fault = value_fault(requirement.values[i]);
    if (fault.empty()) continue;
    return invalid(fmt::format("values[{}][{}]", i, requirement.key), "\"" + requirement.values[i] + "\"",
                   fault);
  }
  return {};
}

}  // namespace skiff::kube
