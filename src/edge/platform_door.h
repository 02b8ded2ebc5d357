// What the edge asks of those who talk to the platform, whose answers need the instance's token: not over
// plain HTTP from another machine, where the token can be read on the way.
#pragma once

#include <string>
#include <string_view>

namespace skiff::edge {

// A field that only the edge sends: "<its token> <the visitor's address>". Whoever else sends it is not
// believed.
inline constexpr std::string_view kVisitorField = "X-Skiff-Visitor";

// True when the other end of a connected socket is on this machine: over loopback, or from the address that
// it connected to.
bool is_local_peer(int fd);

// 403 with the address to use instead: text for git, else in the Platform API's form. `https_port` "0": there
// is none.
std::string insecure_response(std::string_view host, std::string_view path, std::string_view https_port,
                              bool to_head);

}  // namespace skiff::edge
