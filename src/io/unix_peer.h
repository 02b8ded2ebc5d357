// Who is at the other end of a unix socket, as the kernel vouches for it (SO_PEERCRED): Stream::peer() of
// such a connection carries it as text. Pure.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace skiff::io {

// Of the process that connected (or listened), at that moment.
struct UnixPeer {
  uid_t user = 0;
  pid_t process = 0;
  friend bool operator==(const UnixPeer&, const UnixPeer&) = default;
};

// "unix:<user>:<process>"
std::string encode_unix_peer(const UnixPeer& peer);
// Nothing for other peers.
std::optional<UnixPeer> parse_unix_peer(std::string_view text);

}  // namespace skiff::io
