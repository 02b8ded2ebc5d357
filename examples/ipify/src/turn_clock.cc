#include "turn_clock.h"

#include <array>
#include <ctime>

#include "answer.h"

namespace ipify {
namespace {

// strftime would follow the locale; HTTP's names are fixed.
constexpr std::array<const char*, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<const char*, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

void append_two_digits(int value, std::string& out) {
  out += static_cast<char>('0' + value / 10);
  out += static_cast<char>('0' + value % 10);
}

std::string http_date(std::time_t second) {
  tm utc{};
  ::gmtime_r(&second, &utc);
  std::string text = kDays[static_cast<std::size_t>(utc.tm_wday)];
  text += ", ";
  append_two_digits(utc.tm_mday, text);
  text += ' ';
  text += kMonths[static_cast<std::size_t>(utc.tm_mon)];
  text += ' ' + std::to_string(utc.tm_year + 1900) + ' ';
  append_two_digits(utc.tm_hour, text);
  text += ':';
  append_two_digits(utc.tm_min, text);
  text += ':';
  append_two_digits(utc.tm_sec, text);
  return text + " GMT";
}

}  // namespace

void TurnClock::read() {
  timespec monotonic{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &monotonic);
  now_ = std::chrono::duration_cast<Millis>(std::chrono::seconds(monotonic.tv_sec) +
                                            std::chrono::nanoseconds(monotonic.tv_nsec));
  timespec wall{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &wall);
  if (wall.tv_sec == second_) return;
  second_ = wall.tv_sec;
  common_headers_ = ipify::common_headers(http_date(wall.tv_sec));
}

}  // namespace ipify
