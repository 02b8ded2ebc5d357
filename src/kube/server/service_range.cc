#include "kube/server/service_range.h"

#include <algorithm>

#include "base/strings.h"

namespace skiff::kube {

ServiceRange::ServiceRange(std::string_view text) {
  constexpr uint64_t kAll = 32, kUsual = 16;
  const auto [address, bits, found] = split_once(text, "/");
  base_ = parse(address).value_or(0);
  const auto length = std::min(parse_uint(bits).value_or(kUsual), kAll);
  size_ = length == 0 ? UINT32_MAX : static_cast<uint32_t>(uint64_t{1} << (kAll - length));
}

std::optional<uint32_t> ServiceRange::parse(std::string_view address) {
  constexpr size_t kParts = 4;
  constexpr uint64_t kMaxPart = 255;
  const auto parts = split(address, '.');
  uint32_t out = 0;
  for (const auto& part : parts) {
    const auto number = parse_uint(part);
    if (!number || *number > kMaxPart) return std::nullopt;
    out = out << 8 | static_cast<uint32_t>(*number);
  }
  if (parts.size() != kParts || format(out) != address) return std::nullopt;
  return out;
}

std::string ServiceRange::format(uint32_t address) {
  return std::to_string(address >> 24) + "." + std::to_string(address >> 16 & 255) + "." +
         std::to_string(address >> 8 & 255) + "." + std::to_string(address & 255);
}

std::string ServiceRange::owner_of(std::string_view address) const {
  if (address == kubernetes_address()) return "default/kubernetes";
  if (address == dns_address()) return "kube-system/kube-dns";
  return "";
}

}  // namespace skiff::kube
