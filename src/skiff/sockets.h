// What an instance listens on, opened before its roles start and held while it runs.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "skiff/instance.h"
#include "skiff/supervisor.h"

namespace skiff {

// Role → its sockets.
using Sockets = std::map<std::string, std::vector<HeldSocket>>;

// One a CPU for the edge's HTTP and HTTPS (SO_REUSEPORT), one for the API server, the platform, and the
// node's log endpoint. Unavailable when another program keeps a port: check_ports() says it in better words.
Result<Sockets> open_sockets(const Instance& instance);

}  // namespace skiff
