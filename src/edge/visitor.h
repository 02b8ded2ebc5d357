// Who asks, as a trusted proxy in front tells it: X-Forwarded-For, -Proto, -Port and -Host and RFC 7239's
// Forwarded are believed of peers that the operator names, and continued. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/ip.h"
#include "edge/head.h"

namespace skiff::edge {

struct Visitor {
  std::string ip;     // the nearest address of the chain that is no trusted proxy: for lines and the platform
  std::string chain;  // X-Forwarded-For
  std::string port;   // X-Forwarded-Port
  std::string host;   // X-Forwarded-Host; "": none
  std::string forwarded;  // Forwarded; "": none
  bool tls = false;       // X-Forwarded-Proto
};

// The connection that a request came on: that of a trusted proxy.
struct Hop {
  std::string_view ip, port;
  bool tls = false;
};
// Memory of `out` is used again.
void read_visitor(const RequestHead& head, const Hop& hop, const std::vector<IpNetwork>& trusted,
                  Visitor& out);

}  // namespace skiff::edge
