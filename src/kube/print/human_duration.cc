#include <fmt/core.h>

#include "kube/print/table.h"

namespace skiff::kube {

namespace {
// "3m15s", or "3m" when the lesser unit is zero.
std::string two(int64_t major, char major_unit, int64_t minor, char minor_unit) {
  if (minor == 0) return fmt::format("{}{}", major, major_unit);
  return fmt::format("{}{}{}{}", major, major_unit, minor, minor_unit);
}
}  // namespace

std::string human_duration(Duration age) {
  int64_t seconds = std::chrono::duration_cast<std::chrono::seconds>(age).count();
  if (seconds < -1) return "<invalid>";  // clocks may differ by a second
  if (seconds < 0) return "0s";
  if (seconds < 120) return fmt::format("{}s", seconds);
  int64_t minutes = seconds / 60;
  if (minutes < 10) return two(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return fmt::format("{}m", minutes);
  int64_t hours = minutes / 60;
  if (hours < 8) return two(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return fmt::format("{}h", hours);
  int64_t days = hours / 24;
  if (days < 8) return two(days, 'd', hours % 24, 'h');
  if (days < 365 * 2) return fmt::format("{}d", days);
  if (days < 365 * 8) return two(days / 365, 'y', days % 365, 'd');
  return fmt::format("{}y", days / 365);
}

}  // namespace skiff::kube
