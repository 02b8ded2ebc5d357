// The collections that hold user objects: what the garbage collector watches and a namespace is emptied of.
// The built-in ones, and those of CustomResourceDefinitions, which come and go.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "control/shared/context.h"

namespace skiff::control {

struct ResourceInfo {
  std::string api;  // "/api/v1" or "/apis/apps/v1"
  std::string plural, kind;
  bool namespaced = true;
  bool operator==(const ResourceInfo&) const = default;
  std::string path() const { return api + "/" + plural; }
  // "v1" or "apps/v1"
  std::string api_version() const { return api.substr(api.starts_with("/apis/") ? 6 : 5); }
  // "apps", or "" of the core.
  std::string group() const;
};

std::vector<ResourceInfo> builtin_resources();
// The collection of a definition, at its stored version; nothing while that is not served.
std::optional<ResourceInfo> resource_of_definition(const json::Value& definition);

// All collections there are now. Members belong to the loop's thread; listeners come before the caches start.
class Catalog {
 public:
  explicit Catalog(Caches& caches);
  const std::vector<ResourceInfo>& all() const { return all_; }
  // The collection an owner reference means, by kind and group: an object may name any served version. Null
  // when it is not known.
  const ResourceInfo* find(const json::Value& reference) const;
  // Called for collections that come later than now, and when one goes.
  void on_added(std::function<void(const ResourceInfo&)> listener) { added_.push_back(std::move(listener)); }
  void on_removed(std::function<void(const ResourceInfo&)> listener) {
    removed_.push_back(std::move(listener));
  }

 private:
  void on_definition(const json::Value& before, const json::Value& after);

  std::vector<ResourceInfo> all_;
  std::vector<std::function<void(const ResourceInfo&)>> added_, removed_;
};

}  // namespace skiff::control
