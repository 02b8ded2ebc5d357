// Serves what CustomResourceDefinitions define: their kinds come and go in the registry with the stored
// definitions.
#pragma once

#include <map>

#include "kube/server/objects.h"

namespace skiff::kube {

// The kinds of a definition, one for each served version. Pure.
std::vector<KindPtr> kinds_of(const json::Value& definition);
// The conditions that say that it is served. Pure.
json::Value established_status(const json::Value& definition, WallTime now);

class CustomKinds {
 public:
  explicit CustomKinds(Objects& objects) : objects_(objects), scope_(objects.loop()) {}
  // Takes in what changed in the store since the last call; cheap when nothing did.
  void refresh();

 private:
  void load();
  void put(const json::Value& definition);
  static io::Task<void> establish(Objects& objects, Target target);
  Objects& objects_;
  std::unique_ptr<store::Watch> changes_;
  std::map<std::string, json::Value> known_;  // by name of the definition
  io::TaskScope scope_;
};

}  // namespace skiff::kube
