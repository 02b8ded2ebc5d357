#include "platform/builds/build_details.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/strings.h"
#include "platform/builds/plain_text.h"

namespace skiff::platform {

namespace {

using json::Value;

constexpr size_t kMostPhases = 16;
constexpr size_t kMostPhaseName = 20;
constexpr int64_t kMostMilliseconds = 24LL * 3600 * 1000;
constexpr size_t kMostReported = 64;  // of one build
constexpr size_t kMostKey = 64, kMostValue = 256;
constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kKeyLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

std::string_view without_quotes(std::string_view value) {
  const bool quoted =
      value.size() > 1 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front();
  return quoted ? value.substr(1, value.size() - 2) : value;
}

}  // namespace

std::vector<BuildPhase> parse_phases(std::string_view text) {
  std::vector<BuildPhase> phases;
  for (const auto& line : split(text, '\n')) {
    const auto halves = split_once(line, " ");
    const auto milliseconds = parse_uint(halves.after);
    if (halves.before.empty() || halves.before.size() > kMostPhaseName || !milliseconds) continue;
    if (halves.before.find_first_not_of(kLower) != std::string::npos) continue;
    if (*milliseconds > static_cast<uint64_t>(kMostMilliseconds) || phases.size() == kMostPhases) continue;
    phases.push_back({std::string(halves.before), static_cast<int64_t>(*milliseconds)});
  }
  return phases;
}

std::map<std::string, std::string> parse_report(std::string_view text) {
  std::map<std::string, std::string> report;
  for (const auto& line : split(plain_text(text), '\n')) {
    const auto halves = split_once(line, ":");
    const std::string_view key = halves.before, value = without_quotes(trim(halves.after));
    if (!halves.found || key.empty() || key.size() > kMostKey || value.empty() || value.size() > kMostValue)
      continue;
    if (key.find_first_not_of(kKeyLetters) != key.npos || report.size() == kMostReported) continue;
    report[std::string(key)] = value;
  }
  return report;
}

std::string describe_phases(const std::vector<BuildPhase>& phases) {
  std::vector<std::string> parts;
  for (const auto& phase : phases) {
    parts.push_back(
        fmt::format("{} {}.{:02} s", phase.name, phase.milliseconds / 1000, phase.milliseconds % 1000 / 10));
  }
  return join(parts, ", ");
}

Value encode_phases(const std::vector<BuildPhase>& phases) {
  Value out = Value::array();
  for (const auto& phase : phases)
    out.push_back(Value::object({{"name", phase.name}, {"milliseconds", phase.milliseconds}}));
  return out;
}

Value encode_report(const std::map<std::string, std::string>& report) {
  Value out = Value::object();
  for (const auto& [key, value] : report) out.set(key, value);
  return out;
}

void PhaseClock::end(std::string name) {
  end(std::move(name), {});
}

void PhaseClock::end(std::string name, std::vector<BuildPhase> parts) {
  const MonotonicTime now = loop_.now();
  int64_t left = (now - begin_) / std::chrono::milliseconds(1);
  begin_ = now;
  for (auto& part : parts) {
    part.milliseconds = std::min(part.milliseconds, left);
    left -= part.milliseconds;
    details_.phases.push_back(std::move(part));
  }
  details_.phases.push_back({std::move(name), left});
}

}  // namespace skiff::platform
