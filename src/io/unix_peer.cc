#include "io/unix_peer.h"

#include <fmt/core.h>

#include <vector>

#include "base/strings.h"

namespace skiff::io {

std::string encode_unix_peer(const UnixPeer& peer) {
  return fmt::format("unix:{}:{}", peer.user, peer.process);
}

std::optional<UnixPeer> parse_unix_peer(std::string_view text) {
  const auto fields = split(text, ':');
  if (fields.size() != 3 || fields[0] != "unix") return std::nullopt;
  const auto user = parse_uint(fields[1]);
  const auto process = parse_int(fields[2]);
  if (!user || *user > UINT32_MAX || !process || *process < 1 || *process > INT32_MAX) return std::nullopt;
  return UnixPeer{static_cast<uid_t>(*user), static_cast<pid_t>(*process)};
}

}  // namespace skiff::io
