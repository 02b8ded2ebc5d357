// The addresses of names outside the cluster that Services of type ExternalName stand for, looked up again
// and again. On one loop; the lookups run in its blocking pool.
//
// Where the edge may connect to is not decided here (backend_rules.h). A name whose lookup fails keeps the
// addresses that it had.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "edge/routes.h"
#include "io/loop.h"
#include "io/scope.h"

namespace skiff::edge {

inline constexpr size_t kMaxExternalNames = 256;  // of all namespaces; further ones have no addresses

class ExternalNames {
 public:
  // Blocking: all addresses of a name as text; empty when it has none or nobody answers. From any thread.
  using Lookup = std::function<std::vector<std::string>(const std::string& name)>;
  // `on_change` is called when addresses became known or changed.
  ExternalNames(io::Loop& loop, Lookup lookup, std::function<void()> on_change);
  // Follows these names from now on and forgets others. Says in the log when they are too many.
  void want(const std::set<std::string>& names);
  // A name is in it once it was looked up.
  const NameAddresses& addresses() const { return addresses_; }

 private:
  static io::Task<void> follow(ExternalNames* self, std::string name);
  io::Loop& loop_;
  Lookup lookup_;
  std::function<void()> on_change_;
  std::set<std::string> wanted_, followed_;
  bool told_too_many_ = false;
  NameAddresses addresses_;
  io::TaskScope scope_;
};

// Pure: the addresses of a name in a hosts file (hosts(5)).
std::vector<std::string> find_in_hosts(std::string_view hosts, std::string_view name);
// In the machine's hosts file, else by its resolvers.
std::vector<std::string> look_up(const std::string& name);

}  // namespace skiff::edge
