#include <set>

#include "base/strings.h"
#include "kube/server/admission.h"
#include "kube/server/status.h"

namespace skiff::kube {

namespace {

// The first address and the number of addresses of "10.96.0.0/16".
struct Range {
  uint32_t base = 0, size = 0;
};
uint32_t parse_ipv4(std::string_view text) {
  uint32_t address = 0;
  for (const auto& part : split(text, '.'))
    address = address << 8 | static_cast<uint32_t>(parse_uint(part).value_or(0) & 255);
  return address;
}
Range parse_range(std::string_view text) {
  const auto [address, bits, found] = split_once(text, "/");
  const auto length = parse_uint(bits).value_or(16);
  return {parse_ipv4(address), length >= 32 ? 1U : 1U << (32 - length)};
}
std::string format_ipv4(uint32_t address) {
  return std::to_string(address >> 24) + "." + std::to_string(address >> 16 & 255) + "." +
         std::to_string(address >> 8 & 255) + "." + std::to_string(address & 255);
}

}  // namespace

Result<std::string> Admission::free_address(const std::string& wanted, const json::Value& service) {
  std::set<std::string> taken;
  const Target all{objects_.kind("", "services"), "", ""};
  auto page = objects_.store().list({collection_prefix(all), "", 0, {}});
  if (!page) return std::unexpected(page.error());
  for (const auto& entry : page->entries) {
    auto value = json::parse(*entry.value);
    if (value) taken.insert((*value)["spec"]["clusterIP"].str());
  }
  const Range range = parse_range(objects_.options().service_range);
  if (!wanted.empty()) {
    if (parse_ipv4(wanted) - range.base >= range.size) {
      const FieldError error{"FieldValueInvalid", "spec.clusterIPs",
                             "Invalid value: []string{\"" + wanted + "\"}: failed to allocate IP " + wanted +
                                 ": the provided IP (" + wanted +
                                 ") is not in the valid range. The range of valid IPs is " +
                                 objects_.options().service_range};
      return std::unexpected(invalid("", "Service", service["metadata"]["name"].str(), {error}));
    }
    if (!taken.contains(wanted)) return wanted;
    const FieldError error{"FieldValueInvalid", "spec.clusterIPs",
                           "Invalid value: []string{\"" + wanted + "\"}: failed to allocate IP " + wanted +
                               ": provided IP is already allocated"};
    return std::unexpected(invalid("", "Service", service["metadata"]["name"].str(), {error}));
  }
  constexpr uint32_t kReserved = 16;  // the first ones are for well-known services
  const uint32_t usable = range.size > 2 * kReserved ? range.size - kReserved - 1 : 0;
  const auto start = usable ? static_cast<uint32_t>(objects_.loop().random().below(usable)) : 0U;
  for (uint32_t step = 0; step < usable; ++step) {
    const std::string candidate = format_ipv4(range.base + kReserved + (start + step) % usable);
    if (!taken.contains(candidate)) return candidate;
  }
  return std::unexpected(make_status_error(
      500, "InternalError",
      "every address of the service range " + objects_.options().service_range + " is taken"));
}

Result<void> Admission::admit_service(const json::Value* before, json::Value& service) {
  json::Value& spec = service.edit("spec");
  if (spec["type"].str() == "ExternalName") return {};
  if (before && spec["clusterIP"].str().empty()) {
    for (const char* field : {"clusterIP", "clusterIPs"}) {
      if (const auto* value = (*before)["spec"].find(field)) spec.set(field, *value);
    }
  }
  std::string address = spec["clusterIP"].str();
  // An address cannot change, which the kind's checks say.
  const bool known = before && !(*before)["spec"]["clusterIP"].str().empty();
  if (address != "None" && !known) {
    auto found = free_address(address, service);
    if (!found) return std::unexpected(found.error());
    address = *found;
  }
  spec.set("clusterIP", address);
  spec.set("clusterIPs", json::Value::array({address}));
  if (spec["ipFamilies"].empty()) spec.set("ipFamilies", json::Value::array({"IPv4"}));
  if (spec["ipFamilyPolicy"].is_null()) spec.set("ipFamilyPolicy", "SingleStack");
  if (!before) service.set("status", json::Value::object({{"loadBalancer", json::Value::object()}}));
  return {};
}

}  // namespace skiff::kube
