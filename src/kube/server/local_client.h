// The API for code of the same process: the server's own routes without a connection, so the same rules and
// rights hold.
#pragma once

#include <memory>

#include "kube/client/client.h"
#include "net/http_server.h"

namespace skiff::kube {

// Answers a request as the client's user.
using LocalServe = net::Handler;
std::unique_ptr<Client> make_local_client(io::Loop& loop, LocalServe serve);

}  // namespace skiff::kube
