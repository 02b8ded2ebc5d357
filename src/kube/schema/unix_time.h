// Times as protobuf carries them, of every year that RFC 3339 can write: WallTime holds three centuries, and
// Go's zero time is of the year 1. Inside kube/schema only; pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace skiff::kube {

struct UnixTime {
  int64_t seconds = 0;
  int32_t nanos = 0;
};
constexpr int64_t kGoZeroTime = -62'135'596'800;  // 0001-01-01T00:00:00Z, which Go takes for no time

// Nothing when the text is no time.
std::optional<UnixTime> parse_unix_time(std::string_view text);
// With `micro` six digits of a fraction. Nothing outside the years 0 to 9999.
enum class Fraction { kNone, kMicro };
std::optional<std::string> format_unix_time(UnixTime time, Fraction fraction);

}  // namespace skiff::kube
