#include "node/network/sockets.h"

#include "base/strings.h"

namespace skiff::node {

bool has_tcp_sockets(std::string_view counts) {
  for (const char* before : {"TCP: inuse ", "TCP6: inuse "}) {
    const Halves halves = split_once(counts, before);
    if (halves.found && !halves.after.starts_with("0")) return true;
  }
  return false;
}

}  // namespace skiff::node
