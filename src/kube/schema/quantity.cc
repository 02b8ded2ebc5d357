#include "kube/schema/quantity.h"

#include <array>

#include "base/strings.h"

namespace skiff::kube {
namespace {

using Wide = __int128;
constexpr Wide kNano = 1'000'000'000;
// Larger values are cut to this, as upstream cuts at 2^63-1.
constexpr Wide kMaxNano = Wide{9'223'372'036'854'775'807} * kNano;

struct Suffix {
  std::string_view text;
  Wide nano;  // what 1 of it is worth
  Quantity::Format format;
};

constexpr std::array<Suffix, 16> kSuffixes = {{
    {"n", 1, Quantity::Format::kDecimal},
    {"u", 1'000, Quantity::Format::kDecimal},
    {"m", 1'000'000, Quantity::Format::kDecimal},
    {"", kNano, Quantity::Format::kDecimal},
    {"k", kNano * 1'000, Quantity::Format::kDecimal},
    {"M", kNano * 1'000'000, Quantity::Format::kDecimal},
    {"G", kNano * 1'000'000'000, Quantity::Format::kDecimal},
    {"T", kNano * 1'000'000'000'000, Quantity::Format::kDecimal},
    {"P", kNano * 1'000'000'000'000'000, Quantity::Format::kDecimal},
    {"E", kNano * 1'000'000'000'000'000'000, Quantity::Format::kDecimal},
    {"Ki", kNano << 10, Quantity::Format::kBinary},
    {"Mi", kNano << 20, Quantity::Format::kBinary},
    {"Gi", kNano << 30, Quantity::Format::kBinary},
    {"Ti", kNano << 40, Quantity::Format::kBinary},
    {"Pi", kNano << 50, Quantity::Format::kBinary},
    {"Ei", kNano << 60, Quantity::Format::kBinary},
}};

std::string to_text(Wide value) {
  bool negative = value < 0;
  if (negative) value = -value;
  std::string digits;
  do {
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(value % 10)));
    value /= 10;
  } while (value > 0);
  return negative ? "-" + digits : digits;
}

// 10^exponent in nano, for exponents from -9 to 18.
std::optional<Suffix> exponent_suffix(std::string_view text) {
  if (text.size() < 2 || (text[0] != 'e' && text[0] != 'E')) return std::nullopt;
  text.remove_prefix(text[1] == '+' ? 2 : 1);
  auto exponent = parse_int(text);
  if (!exponent || *exponent < -9 || *exponent > 18) return std::nullopt;
  Wide nano = 1;
  for (int64_t i = -9; i < *exponent; ++i) nano *= 10;
  return Suffix{"", nano, Quantity::Format::kExponent};
}

std::optional<Suffix> find_suffix(std::string_view text) {
  for (const auto& suffix : kSuffixes) {
    if (suffix.text == text) return suffix;
  }
  return exponent_suffix(text);
}

Wide divide_up(Wide value, Wide by) {
  Wide quotient = value / by;
  return value % by > 0 ? quotient + 1 : quotient;
}

// digits "." digits times the worth of one, rounded up to whole nano.
std::optional<Wide> scale(std::string_view digits, Wide worth) {
  Wide whole = 0;
  Wide fraction = 0;
  Wide divisor = 1;
  bool in_fraction = false;
  bool any = false;
  for (char c : digits) {
    if (c == '.') {
      if (in_fraction) return std::nullopt;
      in_fraction = true;
      continue;
    }
    any = true;
    if (!in_fraction && whole <= kMaxNano) whole = whole * 10 + (c - '0');
    if (in_fraction && divisor < kNano) {
      fraction = fraction * 10 + (c - '0');
      divisor *= 10;
    }
  }
  if (!any) return std::nullopt;
  if (whole > kMaxNano / worth) return kMaxNano;
  return whole * worth + divide_up(fraction * worth, divisor);
}

std::string format_decimal(Wide nano, bool exponent_form) {
  int exponent = -9;
  while (nano != 0 && nano % 1000 == 0 && exponent < 18) {
    nano /= 1000;
    exponent += 3;
  }
  if (nano == 0) return "0";
  if (exponent_form) return to_text(nano) + (exponent == 0 ? "" : "e" + std::to_string(exponent));
  return to_text(nano) + std::string(kSuffixes[static_cast<size_t>(exponent / 3 + 3)].text);
}

std::string format_binary(Wide nano) {
  Wide value = divide_up(nano, kNano);
  if (value < 1024 && value > -1024) return format_decimal(nano, false);
  int power = 0;
  while (value % 1024 == 0 && power < 6) {
    value /= 1024;
    ++power;
  }
  return to_text(value) + (power == 0 ? "" : std::string(kSuffixes[static_cast<size_t>(9 + power)].text));
}

}  // namespace

long long Quantity::milli() const {
  return static_cast<long long>(divide_up(nano, 1'000'000));
}
long long Quantity::value() const {
  return static_cast<long long>(divide_up(nano, kNano));
}

std::optional<Quantity> parse_quantity(std::string_view text) {
  bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  auto end = std::min(text.find_first_not_of("0123456789."), text.size());
  auto suffix = find_suffix(text.substr(end));
  if (!suffix) return std::nullopt;
  auto nano = scale(text.substr(0, end), suffix->nano);
  if (!nano) return std::nullopt;
  return Quantity{negative ? -*nano : *nano, suffix->format};
}

std::string format_quantity(const Quantity& quantity) {
  if (quantity.format == Quantity::Format::kBinary) return format_binary(quantity.nano);
  return format_decimal(quantity.nano, quantity.format == Quantity::Format::kExponent);
}

}  // namespace skiff::kube
