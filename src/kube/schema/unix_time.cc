#include "kube/schema/unix_time.h"

#include <fmt/format.h>

#include <chrono>

#include "base/strings.h"
#include "base/time.h"

namespace skiff::kube {

using namespace std::chrono;

std::optional<UnixTime> parse_unix_time(std::string_view text) {
  constexpr size_t kYearDigits = 4;
  const auto digits = text.substr(0, kYearDigits);
  const auto given = parse_uint(digits);
  if (!given || digits.size() < kYearDigits) return std::nullopt;
  // The same moment of a year that WallTime holds, moved by the days between the two years.
  const year wanted{static_cast<int>(*given)}, near = wanted.is_leap() ? year{2000} : year{2001};
  const auto at =
      parse_rfc3339(fmt::format("{:04}", static_cast<int>(near)) + std::string(text.substr(kYearDigits)));
  if (!at) return std::nullopt;
  const auto since = at->time_since_epoch();
  const auto whole = floor<seconds>(since);
  const auto days_between = sys_days(wanted / January / 1) - sys_days(near / January / 1);
  return UnixTime{(whole + days_between).count(), static_cast<int32_t>(nanoseconds(since - whole).count())};
}

std::optional<std::string> format_unix_time(UnixTime time, Fraction fraction) {
  constexpr int64_t kFirst = -62'167'219'200, kLast = 253'402'300'799;  // of the years 0 and 9999
  if (time.seconds < kFirst || time.seconds > kLast || time.nanos < 0 || time.nanos >= 1'000'000'000)
    return std::nullopt;
  const sys_seconds at{seconds(time.seconds)};
  const auto day = floor<days>(at);
  const year_month_day date{day};
  const hh_mm_ss clock{at - day};
  std::string out = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                                clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  if (fraction == Fraction::kMicro) out += fmt::format(".{:06}", time.nanos / 1000);
  return out + "Z";
}

}  // namespace skiff::kube
