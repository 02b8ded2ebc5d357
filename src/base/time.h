// Time types and RFC 3339 text. Reading a clock is io::Loop's business; nothing here does.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"

namespace skiff {

using Duration = std::chrono::nanoseconds;
// Never jumps; for timers and durations.
using MonotonicTime = std::chrono::time_point<std::chrono::steady_clock, Duration>;
// UTC; for what people and other programs read.
using WallTime = std::chrono::sys_time<Duration>;

// "2026-01-02T03:04:05Z": whole seconds, as Kubernetes writes metav1.Time.
std::string format_rfc3339(WallTime time);
// "2026-01-02T03:04:05.123456Z": as Kubernetes writes metav1.MicroTime.
std::string format_rfc3339_micro(WallTime time);
// "2026-01-02T03:04:05.123456789Z": as CRI log lines carry.
std::string format_rfc3339_nano(WallTime time);
// Accepts any fraction and any offset. A year before 1900 or after 2200 (Go's zero time is of the year 1) is
// taken as that year: so the difference of two times of which one is now always fits a Duration.
Result<WallTime> parse_rfc3339(std::string_view text);

}  // namespace skiff
