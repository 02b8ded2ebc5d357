// What a Host field or an absolute target may name (RFC 9110 7.2, RFC 3986 3.2). Pure.
#pragma once

#include <string_view>

namespace skiff::wire {

// A DNS name, an IPv4 address or an IPv6 address in brackets, and perhaps a port. A name of other characters,
// which the URI syntax would allow, can't be routed and is read differently by different servers: it is none.
bool is_authority(std::string_view text);

}  // namespace skiff::wire
