// The PROXY protocol, versions 1 and 2: a proxy's first bytes on a connection, which say whose connection it
// passes on (haproxy.org/download/2.9/doc/proxy-protocol.txt). Believed only of proxies that the operator
// names. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/ip.h"

namespace skiff::edge {

// Of a whole header: 16 bytes, addresses and what a proxy adds, such as the names in its certificate.
inline constexpr size_t kMaxProxyHeader = 2048;

struct ProxyHeader {
  enum class Parse : uint8_t {
    kComplete,
    kIncomplete,
    kBad,
    kOther
  } parse = Parse::kOther;          // kOther: no such header
  size_t bytes = 0;                 // of a complete one
  std::optional<IpAddress> source;  // the visitor; nothing: the connection is the proxy's own
  uint16_t port = 0;                // which the visitor connected to
};
ProxyHeader parse_proxy_header(std::string_view data);

}  // namespace skiff::edge
