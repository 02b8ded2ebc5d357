#include "edge/backend_rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"

namespace skiff::edge {

namespace {

constexpr uint32_t kGateway = 1;  // the bridge's own address, by its number in the pod range

std::string_view kind_of(const IpAddress& address, const std::optional<IpNetwork>& pods) {
  if (address.is_loopback()) return "a loopback address";
  if (address.is_link_local()) return "a link-local address";
  if (pods && pods->contains(address)) return "no pod's address";
  return "outside the pods' range";
}

}  // namespace

std::string BackendRules::refusal(std::string_view ip, uint16_t port) const {
  const auto address = parse_ip(ip);
  if (!address) return "an endpoint is no IP address";
  if (std::ranges::find(allowed, AllowedBackend{*address, port}) != allowed.end()) return "";
  const bool pod = pods && pods->contains(*address) && *address != pods->base &&
                   *address != pods->at(kGateway) && *address != pods->last();
  return pod ? "" : fmt::format("endpoint {}:{} is {}", address->text(), port, kind_of(*address, pods));
}

Result<std::vector<AllowedBackend>> parse_allowed_backends(std::string_view text) {
  std::vector<AllowedBackend> out;
  if (trim(text).empty()) return out;
  for (const auto& piece : split(text, ',')) {
    std::string_view host = trim(piece);
    const size_t colon = host.rfind(':');
    const auto port = colon == std::string_view::npos ? std::nullopt : parse_int(host.substr(colon + 1));
    host = host.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    const auto address = parse_ip(host);
    if (!address || !port || *port < 1 || *port > UINT16_MAX) {
      return fail(Code::kInvalidArgument,
                  fmt::format("\"{}\" is no backend: give an IP address with its port, such "
                              "as 192.0.2.7:8080 or [fd00::1]:80",
                              trim(piece)));
    }
    out.push_back({*address, static_cast<uint16_t>(*port)});
  }
  return out;
}

}  // namespace skiff::edge
