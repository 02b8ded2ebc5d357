// Kubernetes quantities: "100m", "1.5Gi", "1e3". Exact down to 10^-9, rounded up below; pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace skiff::kube {

struct Quantity {
  enum class Format { kDecimal, kBinary, kExponent };
  __int128 nano = 0;  // the value times 10^9
  Format format = Format::kDecimal;

  // The value in thousandths, rounded up: CPU in millicores.
  long long milli() const;
  // The value rounded up: memory in bytes.
  long long value() const;
};

// Nothing when the text is no quantity.
std::optional<Quantity> parse_quantity(std::string_view text);
// The form in which the server stores it: the largest suffix that leaves no fraction.
std::string format_quantity(const Quantity& quantity);

// The words in which the server refuses a malformed one.
constexpr std::string_view kQuantityError =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

}  // namespace skiff::kube
