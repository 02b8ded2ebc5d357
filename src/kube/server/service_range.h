// The addresses that Services may have: all of the range but its first (the network's) and last (the
// broadcast's). Two belong to Services of the cluster itself, whether those exist or not: who had them would
// be the API or the name server of every pod. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace skiff::kube {

class ServiceRange {
 public:
  // "10.96.0.0/16".
  explicit ServiceRange(std::string_view text);
  // Canonical dotted form only: a leading zero or a number above 255 is none.
  static std::optional<uint32_t> parse(std::string_view address);
  static std::string format(uint32_t address);
  bool may_have(uint32_t address) const { return address > base_ && address - base_ < size_ - 1; }
  std::string kubernetes_address() const { return format(base_ + kKubernetesHost); }
  std::string dns_address() const { return format(base_ + kDnsHost); }
  // "namespace/name" of the only Service that may have the address; "" when all may.
  std::string owner_of(std::string_view address) const;
  // Where addresses that nobody chose begin: the ones before are for well-known Services.
  static constexpr uint32_t kFirstGiven = 16;
  uint32_t base() const { return base_; }
  uint32_t size() const { return size_; }

 private:
  static constexpr uint32_t kKubernetesHost = 1, kDnsHost = 10;
  uint32_t base_ = 0, size_ = 0;
};

}  // namespace skiff::kube
