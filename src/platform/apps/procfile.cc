#include "platform/apps/procfile.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "base/strings.h"
#include "base/utf8.h"

namespace skiff::platform {

namespace {

constexpr size_t kMaxTypeName = 30;  // part of a Deployment's name and of a label
constexpr size_t kMaxAppName = 30;
constexpr size_t kMinAppName = 3;
// Names that the platform answers itself.
const std::set<std::string_view> kReservedNames = {
    "api", "default", "kube-system", "kube-public", "kube-node-lease", "localhost", "stack", "www"};

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return is_lower(c) || (c >= 'A' && c <= 'Z');
}

bool is_type_name(std::string_view name) {
  if (name.empty()) return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return is_lower(c) || is_digit(c) || c == '-'; }) &&
         name.front() != '-' && name.back() != '-';
}

}  // namespace

Result<std::map<std::string, std::string>> parse_procfile(std::string_view text) {
  if (text.size() > kMaxProcfileBytes) {
    return fail(Code::kInvalidArgument, fmt::format("Procfile is larger than {} bytes", kMaxProcfileBytes));
  }
  // Editors of Windows put a mark before the first line.
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::map<std::string, std::string> types;
  size_t number = 0;
  for (const auto& raw : split(text, '\n')) {
    ++number;
    const std::string_view line = trim(raw);
    if (line.empty() || line.front() == '#') continue;
    if (line.find('\0') != line.npos) {
      return fail(Code::kInvalidArgument,
                  fmt::format("Procfile line {} holds a NUL byte: save the file as UTF-8 text", number));
    }
    if (line.find('\r') != line.npos) {
      return fail(Code::kInvalidArgument,
                  fmt::format("Procfile line {} holds line ends of old Macs (CR alone): save the file with "
                              "those of Unix",
                              number));
    }
    const auto halves = split_once(line, ":");
    const std::string_view name = trim(halves.before), command = trim(halves.after);
    if (!halves.found || !is_type_name(name) || command.empty()) {
      return fail(
          Code::kInvalidArgument,
          fmt::format("Procfile line {} is not of the form \"type: command\" (a type has small letters, "
                      "digits and dashes): {}",
                      number, line.substr(0, 80)));
    }
    if (name.size() > kMaxTypeName) {
      return fail(
          Code::kInvalidArgument,
          fmt::format("Procfile line {}: the process type \"{}\" has {} characters, and {} are the most: "
                      "give it a shorter name",
                      number, name.substr(0, 80), name.size(), kMaxTypeName));
    }
    if (!types.emplace(name, command).second) {
      return fail(Code::kInvalidArgument,
                  fmt::format("Procfile line {} names the process type \"{}\" a second time", number, name));
    }
    if (types.size() > kMaxProcessTypes) {
      return fail(Code::kInvalidArgument,
                  fmt::format("Procfile has more than {} process types", kMaxProcessTypes));
    }
  }
  return types;
}

Result<void> check_app_name(std::string_view name) {
  const bool shape =
      name.size() >= kMinAppName && name.size() <= kMaxAppName && is_lower(name.front()) &&
      name.back() != '-' &&
      std::all_of(name.begin(), name.end(), [](char c) { return is_lower(c) || is_digit(c) || c == '-'; });
  if (!shape) {
    return fail(
        Code::kInvalidArgument,
        "Name must start with a letter, end with a letter or digit, can only contain lowercase letters, "
        "digits and dashes, and have 3 to 30 characters");
  }
  if (kReservedNames.contains(name) || name.starts_with("kube-")) {
    return fail(Code::kInvalidArgument,
                fmt::format("Name {} is used by the platform itself; take another", name));
  }
  return {};
}

Result<void> check_config_name(std::string_view name) {
  const bool good =
      !name.empty() && !is_digit(name.front()) &&
      std::all_of(name.begin(), name.end(), [](char c) { return is_letter(c) || is_digit(c) || c == '_'; });
  if (good) return {};
  return fail(Code::kInvalidArgument,
              fmt::format("\"{}\" is no name for a config var: letters, digits and _, no digit first",
                          name.substr(0, 64)));
}

Result<void> check_config_value(std::string_view name, std::string_view value) {
  constexpr std::string_view kReplacement =
      "\xEF\xBF\xBD";  // what readers of JSON make of bytes that are no text
  if (value.find('\0') != value.npos) {
    return fail(Code::kInvalidArgument,
                fmt::format("the value of {} holds a NUL, and no program can be given one: encode it, as "
                            "base64 for example",
                            name));
  }
  if (!is_utf8(value) || value.find(kReplacement) != value.npos) {
    return fail(Code::kInvalidArgument,
                fmt::format("the value of {} is not UTF-8 text: encode it, as base64 for example", name));
  }
  return {};
}

}  // namespace skiff::platform
