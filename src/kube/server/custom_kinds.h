// Serves what CustomResourceDefinitions define: their kinds come and go in the registry with the stored
// definitions. A definition that is deleted takes its objects along, then goes itself.
#pragma once

#include <map>
#include <set>

#include "kube/server/objects.h"

namespace skiff::kube {

// Where definitions stand in the store.
inline constexpr std::string_view kDefinitionPrefix = "/apiextensions.k8s.io/customresourcedefinitions/";

// The kinds of a definition, one for each served version. Pure.
std::vector<KindPtr> kinds_of(const json::Value& definition);

class CustomKinds {
 public:
  explicit CustomKinds(Objects& objects) : objects_(objects), scope_(objects.loop()) {}
  // Takes in what changed in the store since the last call; cheap when nothing did.
  void refresh();

 private:
  void load();
  void put(const json::Value& definition);
  // Deletes every object of the definition, waits for those with finalizers, lets the definition go.
  io::Task<void> clean_up(json::Value definition);
  io::Task<void> delete_objects(KindPtr kind);
  Objects& objects_;
  std::unique_ptr<store::Watch> changes_;
  std::map<std::string, json::Value> known_;  // by name of the definition
  std::set<std::string> cleaning_;            // names of definitions whose objects are being deleted
  io::TaskScope scope_;
};

}  // namespace skiff::kube
