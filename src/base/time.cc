#include "base/time.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace skiff {

namespace {

constexpr int kFirstYear = 1900, kLastYear = 2200;

struct Fields {
  int year = 0;
  unsigned month = 0, day = 0;
  int hour = 0, minute = 0, second = 0;
  long nanos = 0;
};

Fields split(WallTime time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date{day};
  auto rest = time - day;
  Fields f;
  f.year = int(date.year());
  f.month = unsigned(date.month());
  f.day = unsigned(date.day());
  const auto h = duration_cast<hours>(rest);
  const auto m = duration_cast<minutes>(rest - h);
  const auto s = duration_cast<seconds>(rest - h - m);
  f.hour = int(h.count());
  f.minute = int(m.count());
  f.second = int(s.count());
  f.nanos = long((rest - h - m - s).count());
  return f;
}

// Writes `width` digits and returns what follows them. By hand: log lines need times by the ten thousand.
char* put_digits(char* at, unsigned long value, int width) {
  for (int i = width; i-- > 0; value /= 10) at[i] = static_cast<char>('0' + value % 10);
  return at + width;
}

// `digits` of the fraction; none and no point for 0.
std::string format(WallTime time, int digits) {
  const Fields f = split(time);
  char text[40];
  char* at = put_digits(text, static_cast<unsigned long>(f.year), 4);
  const std::pair<char, unsigned> parts[] = {{'-', f.month},
                                             {'-', f.day},
                                             {'T', static_cast<unsigned>(f.hour)},
                                             {':', static_cast<unsigned>(f.minute)},
                                             {':', static_cast<unsigned>(f.second)}};
  for (const auto& [separator, value] : parts) {
    *at++ = separator;
    at = put_digits(at, value, 2);
  }
  if (digits > 0) {
    *at++ = '.';
    put_digits(at, static_cast<unsigned long>(f.nanos), 9);
    at += digits;
  }
  *at++ = 'Z';
  return {text, at};
}

// Reads exactly `width` digits at `position`, advancing it.
bool read_number(std::string_view text, size_t& position, size_t width, int& value) {
  if (position + width > text.size()) return false;
  value = 0;
  for (const char c : text.substr(position, width)) {
    if (c < '0' || c > '9') return false;  // no sign either
    value = value * 10 + (c - '0');
  }
  position += width;
  return true;
}

bool read_char(std::string_view text, size_t& position, char wanted) {
  if (position >= text.size() || text[position] != wanted) return false;
  ++position;
  return true;
}

// The fraction after the seconds, in nanoseconds; digits past the ninth are dropped.
bool read_fraction(std::string_view text, size_t& position, long& nanos) {
  long scale = 100'000'000;
  size_t digits = 0;
  while (position < text.size() && text[position] >= '0' && text[position] <= '9') {
    nanos += (text[position] - '0') * scale;
    scale /= 10;
    ++position;
    ++digits;
  }
  return digits > 0;
}

bool read_offset(std::string_view text, size_t& position, std::chrono::minutes& offset) {
  if (position >= text.size()) return false;
  const char sign = text[position++];
  if (sign == 'Z' || sign == 'z') return true;
  if (sign != '+' && sign != '-') return false;
  int h = 0, m = 0;
  if (!read_number(text, position, 2, h) || !read_char(text, position, ':')) return false;
  if (!read_number(text, position, 2, m) || h > 23 || m > 59) return false;
  offset = std::chrono::minutes((sign == '-' ? -1 : 1) * (h * 60 + m));
  return true;
}

// By the year in UTC: an offset or a leap second may leave the bounds too. A 29th of February in a year
// without one is the 1st of March.
std::chrono::sys_seconds bound_year(std::chrono::sys_seconds time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const year bounded{std::clamp(int(date.year()), kFirstYear, kLastYear)};
  if (bounded == date.year()) return time;
  return time - day + sys_days(bounded / date.month() / date.day());
}

}  // namespace

std::string format_rfc3339(WallTime time) {
  return format(time, 0);
}

std::string format_rfc3339_micro(WallTime time) {
  return format(time, 6);
}

std::string format_rfc3339_nano(WallTime time) {
  return format(time, 9);
}

Result<WallTime> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  const auto bad = [&] {
    return fail(
        Code::kInvalidArgument,
        fmt::format("\"{}\" is not an RFC 3339 time such as 2026-01-02T03:04:05Z", text.substr(0, 64)));
  };
  size_t at = 0;
  int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0;
  long nanos = 0;
  minutes offset{0};
  if (!read_number(text, at, 4, y) || !read_char(text, at, '-') || !read_number(text, at, 2, mo) ||
      !read_char(text, at, '-') || !read_number(text, at, 2, d)) {
    return bad();
  }
  if (!read_char(text, at, 'T') && !read_char(text, at, 't') && !read_char(text, at, ' ')) return bad();
  if (!read_number(text, at, 2, h) || !read_char(text, at, ':') || !read_number(text, at, 2, mi) ||
      !read_char(text, at, ':') || !read_number(text, at, 2, s)) {
    return bad();
  }
  if (read_char(text, at, '.') && !read_fraction(text, at, nanos)) return bad();
  if (!read_offset(text, at, offset) || at != text.size()) return bad();
  const year_month_day written{year(y), month(unsigned(mo)), day(unsigned(d))};
  if (!written.ok() || h > 23 || mi > 59 || s > 60) return bad();
  const auto utc = sys_days(written) + hours(h) + minutes(mi) + seconds(s) - offset;
  return WallTime(bound_year(utc)) + nanoseconds(nanos);
}

}  // namespace skiff
