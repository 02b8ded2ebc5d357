#include "node/pod/quantity.h"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace skiff::node {

namespace {

std::optional<double> scale_of(std::string_view suffix) {
  constexpr std::array<std::pair<std::string_view, double>, 16> kScales = {{{"", 1},
                                                                            {"n", 1e-9},
                                                                            {"u", 1e-6},
                                                                            {"m", 1e-3},
                                                                            {"k", 1e3},
                                                                            {"M", 1e6},
                                                                            {"G", 1e9},
                                                                            {"T", 1e12},
                                                                            {"P", 1e15},
                                                                            {"E", 1e18},
                                                                            {"Ki", 1024.0},
                                                                            {"Mi", 1048576.0},
                                                                            {"Gi", 1073741824.0},
                                                                            {"Ti", 1099511627776.0},
                                                                            {"Pi", 1125899906842624.0},
                                                                            {"Ei", 1152921504606846976.0}}};
  for (const auto& [name, scale] : kScales) {
    if (name == suffix) return scale;
  }
  return std::nullopt;
}

std::optional<int64_t> parse_scaled(const json::Value& quantity, double factor) {
  const std::string text = quantity.is_string()   ? quantity.str()
                           : quantity.is_number() ? json::encode(quantity)
                                                  : "";
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || !std::isfinite(number)) return std::nullopt;
  const auto scale = scale_of(std::string_view(end, text.data() + text.size()));
  if (!scale) return std::nullopt;
  // The small subtraction keeps 0.1 (which is a little more in binary) from rounding up to the next unit.
  const double value = std::ceil(number * *scale * factor - 1e-6);
  if (std::abs(value) > 9e18) return std::nullopt;
  return static_cast<int64_t>(value);
}

}  // namespace

std::optional<int64_t> parse_milli(const json::Value& quantity) {
  return parse_scaled(quantity, 1000);
}
std::optional<int64_t> parse_units(const json::Value& quantity) {
  return parse_scaled(quantity, 1);
}

}  // namespace skiff::node
