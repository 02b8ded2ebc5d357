// The certificates that the edge shows: one for each routed host, made when a client first asks for it by
// SNI, signed by the authority of the instance that is for serving only. They live in memory.
//
// A client chooses among the names of the route table; what it sends never gets into a certificate. Names
// that are not routed, and none, get the default certificate (localhost, the domain and what is below it,
// loopback). Safe from any thread: the workers call find() in their handshakes, one at a time.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "base/time.h"
#include "edge/limits.h"
#include "edge/routes.h"
#include "net/certificates.h"
#include "net/openssl.h"

namespace skiff::edge {

struct Leaf {
  net::X509Ptr certificate;
  net::KeyPtr key;
};

class LeafCache {
 public:
  LeafCache(net::KeyPair authority, std::string domain, std::shared_ptr<const RouteTable> routes,
            size_t capacity = kMaxLeaves);
  void set_routes(std::shared_ptr<const RouteTable> routes);
  // True while it is not known whether `server_name` is routed: the table is not complete.
  bool must_wait(std::string_view server_name);
  // What to show to a client that asks for `server_name` ("": for none). InvalidArgument for a bad authority.
  Result<std::shared_ptr<const Leaf>> find(std::string_view server_name, WallTime now);

 private:
  struct Kept {
    std::shared_ptr<const Leaf> leaf;
    WallTime made;
    uint64_t last_use = 0;
  };
  Result<std::shared_ptr<const Leaf>> make(const std::string& name, WallTime now) const;
  void make_room();

  const net::KeyPair authority_;
  const std::string domain_;
  const size_t capacity_;
  std::mutex mutex_;  // guards what follows
  std::shared_ptr<const RouteTable> routes_;
  std::unordered_map<std::string, Kept> kept_;  // by the name in it; "" is the default
  uint64_t uses_ = 0;
};

}  // namespace skiff::edge
