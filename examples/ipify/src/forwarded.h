// Whose address is the client's? The rule of trust, as one pure function.
//
// X-Forwarded-For is text that anyone can send. Each proxy appends the address of the peer it saw itself, so
// the list is only as true as the hosts that wrote it, read from the right. The walk starts at the TCP peer,
// which cannot be forged, and takes one step to the left only while the address it stands on is a trusted
// proxy. Values only.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "address.h"

namespace ipify {

enum class Depth {
  // Exactly one proxy stands in front. Its entry is the answer whatever it is, so a user whose own address
  // lies in a
  // trusted range (a private network) gets that address and cannot choose another one.
  kOneProxy,
  // The proxies were listed by name, so several may stand in a row: their own addresses are stepped over.
  kChain,
};

struct TrustPolicy {
  std::vector<Prefix> proxies;
  Depth depth = Depth::kOneProxy;

  bool trusts(const Address& address) const;
};

// Loopback, the private ranges and the shared range: where an edge on this host or in this cluster speaks
// from.
TrustPolicy default_trust();

// `lines` are the values of the X-Forwarded-For headers in the order received. An entry that is not an
// address ends the walk: the answer is then the last address that a trusted host vouched for.
Address client_address(const Address& peer, std::span<const std::string_view> lines,
                       const TrustPolicy& trust);

}  // namespace ipify
