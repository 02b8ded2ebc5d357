// The pure parts of the commands.
#include <fmt/core.h>

#include <algorithm>
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

Result<QuantityChange> parse_quantity(std::string_view text) {
  using Kind = QuantityChange::Kind;
  const auto [change, size, sized] = split_once(text, ":");
  // The last sign: a process type may have a dash in its name.
  const size_t sign = change.find_last_of("=+-");
  const size_t equals = change.find('=');
  const size_t at = equals == std::string_view::npos ? sign : equals;
  const auto count = at == std::string_view::npos ? std::nullopt : parse_uint(change.substr(at + 1));
  if (at == 0 || !count || *count > INT32_MAX || (sized && size.empty())) {
    return fail(Code::kInvalidArgument,
                fmt::format("\"{}\" is not a process type and a count such as web=2, web+1 or web-1", text));
  }
  const Kind kind = text[at] == '=' ? Kind::kTo : text[at] == '+' ? Kind::kMore : Kind::kLess;
  return QuantityChange{std::string(text.substr(0, at)), kind, static_cast<int64_t>(*count),
                        std::string(size)};
}

Result<int64_t> apply_quantity(const QuantityChange& change, int64_t present) {
  using Kind = QuantityChange::Kind;
  if (change.kind == Kind::kTo) return change.count;
  const int64_t count = change.kind == Kind::kMore ? present + change.count : present - change.count;
  if (count < 0) {
    return fail(Code::kInvalidArgument, fmt::format("{} has {} dyno{}, fewer than {}", change.type, present,
                                                    present == 1 ? "" : "s", change.count));
  }
  return count;
}

std::string app_of_remote(std::string_view url) {
  url = trim(url);
  if (!url.starts_with("http") || !url.ends_with(".git")) return "";
  url.remove_suffix(4);
  return std::string(url.substr(url.rfind('/') + 1));
}

std::vector<std::string> remotes_of_url(std::string_view listing, std::string_view url) {
  std::vector<std::string> remotes;
  for (const auto& line : split(listing, '\n')) {
    const auto halves = split_once(line, "\t");
    if (halves.after == fmt::format("{} (fetch)", url)) remotes.emplace_back(halves.before);
  }
  return remotes;
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

// How many letters to add, drop, change, or swap with their neighbour make `b` of `a`.
static size_t count_edits(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> edits(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      size_t& least = edits[i][j];
      least = i + j;
      if (i == 0 || j == 0) continue;
      const size_t changed = a[i - 1] == b[j - 1] ? 0 : 1;
      least = std::min({edits[i - 1][j] + 1, edits[i][j - 1] + 1, edits[i - 1][j - 1] + changed});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) least = std::min(least, edits[i - 2][j - 2] + 1);
    }
  }
  return edits[a.size()][b.size()];
}

std::string nearest_command(std::string_view word, const std::vector<std::string>& commands) {
  constexpr size_t kMostEdits = 2, kLettersOfAnEdit = 3;
  size_t limit = std::min(kMostEdits, word.size() / kLettersOfAnEdit) + 1;
  // "logs:tail" is about "logs".
  const std::string topic(split_once(word, ":").before);
  std::string nearest = std::ranges::count(commands, topic) > 0 ? topic : "";
  for (const auto& command : commands) {
    const size_t added = std::max(word.size(), command.size()) - std::min(word.size(), command.size());
    if (added >= limit) continue;
    const size_t edits = count_edits(word, command);
    if (edits >= limit) continue;
    limit = edits;
    nearest = command;
  }
  return nearest;
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

std::string shell_assignment(std::string_view name, std::string_view value) {
  return fmt::format("{}='{}'", name, replace_all(std::string(value), "'", "'\\''"));
}

}  // namespace skiff::cli
