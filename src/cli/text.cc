// The pure parts of the commands.
#include <fmt/core.h>

#include <filesystem>

#include "base/strings.h"
#include "cli/commands.h"

namespace skiff::cli {

Result<std::pair<std::string, std::string>> parse_assignment(std::string_view text) {
  const auto halves = split_once(text, "=");
  if (!halves.found || halves.before.empty()) {
    return fail(Code::kInvalidArgument, fmt::format("\"{}\" is not of the form NAME=value", text));
  }
  return std::pair(std::string(halves.before), std::string(halves.after));
}

Result<std::pair<std::string, int64_t>> parse_quantity(std::string_view text) {
  const auto halves = split_once(text, "=");
  const auto quantity = parse_int(halves.after);
  if (halves.before.empty() || !quantity || *quantity < 0) {
    return fail(Code::kInvalidArgument,
                fmt::format("\"{}\" is not a process type and a count such as web=2", text));
  }
  return std::pair(std::string(halves.before), *quantity);
}

std::string app_of_remote(std::string_view url) {
  url = trim(url);
  if (!url.starts_with("http") || !url.ends_with(".git")) return "";
  url.remove_suffix(4);
  return std::string(url.substr(url.rfind('/') + 1));
}

static std::string describe_age(int64_t seconds) {
  constexpr int64_t kMinute = 60, kHour = 60 * kMinute, kDay = 24 * kHour;
  if (seconds < kMinute) return fmt::format("{}s", seconds);
  if (seconds < kHour) return fmt::format("{}m", seconds / kMinute);
  if (seconds < kDay) return fmt::format("{}h", seconds / kHour);
  return fmt::format("{}d", seconds / kDay);
}

std::string describe_time(std::string_view rfc3339, WallTime now) {
  const auto time = parse_rfc3339(rfc3339);
  if (!time) return std::string(rfc3339);
  std::string text = format_rfc3339(*time);  // 2026-01-02T03:04:05Z
  text = replace_all(text.substr(0, 19), "T", " ");
  text = replace_all(std::move(text), "-", "/");
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - *time).count();
  return fmt::format("{} +0000 (~ {} ago)", text, describe_age(std::max<int64_t>(age, 0)));
}

std::string absolute_path(std::string_view path, std::string_view from) {
  // Joined with "." every path ends in a slash, and an absolute one stays itself.
  std::string normal = (std::filesystem::path(from) / path / ".").lexically_normal().string();
  if (normal.size() > 1) normal.pop_back();
  return normal;
}

std::string app_path(const std::string& app, std::string_view rest) {
  return "/apps/" + url_encode(app) + std::string(rest);
}

}  // namespace skiff::cli
