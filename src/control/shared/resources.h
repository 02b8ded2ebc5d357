// The collections that hold user objects: what the garbage collector watches and a namespace is emptied of.
#pragma once

#include <string>
#include <vector>

namespace skiff::control {

struct ResourceInfo {
  std::string api;  // "/api/v1" or "/apis/apps/v1"
  std::string plural, kind;
  bool namespaced = true;
  std::string path() const { return api + "/" + plural; }
  // "v1" or "apps/v1"
  std::string api_version() const { return api.substr(api.starts_with("/apis/") ? 6 : 5); }
};

// The built-in kinds; the owner of the wiring adds those of its custom resources.
std::vector<ResourceInfo> builtin_resources();

}  // namespace skiff::control
