// Where the edge may connect to. Whoever writes EndpointSlices or Ingresses chooses addresses, and the edge
// stands on the machine: without rules they would reach its loopback, a cloud's metadata, the API server, or
// another app's pods (CVE-2021-25740). Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ip.h"

namespace skiff::edge {

// An address outside the pods that the operator allows.
struct AllowedBackend {
  IpAddress address;
  uint16_t port = 0;
  bool operator==(const AllowedBackend&) const = default;
};
// "192.0.2.7:8080,[fd00::1]:80"; "" is none. InvalidArgument names what is wrong.
Result<std::vector<AllowedBackend>> parse_allowed_backends(std::string_view text);

struct BackendRules {
  std::optional<IpNetwork> pods;  // the instance's range; its first address is the machine's own
  std::vector<AllowedBackend> allowed;

  // Why the edge doesn't connect there; "" when it does. `ip` comes from outside and is quoted only when it
  // is an address.
  std::string refusal(std::string_view ip, uint16_t port) const;
};

}  // namespace skiff::edge
