// Any bytes as JSON: no crash, and what was parsed reads back as the same value.
#include <cstdint>
#include <string_view>

#include "base/json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto value = skiff::json::parse(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!value) return 0;
  const auto again = skiff::json::parse(skiff::json::encode(*value));
  if (!again || !(*again == *value)) __builtin_trap();
  return 0;
}
