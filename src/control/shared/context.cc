#include "control/shared/context.h"

#include "control/shared/objects.h"

namespace skiff::control {

void Caches::add_shared_indexes() {
  const auto by_controller = [](const json::Value& object) {
    const auto& owner = controller_ref(object);
    return std::vector<std::string>{owner.is_null() ? "orphan/" + namespace_of(object) : owner["uid"].str()};
  };
  pods().add_index(kByController, by_controller);
  replica_sets().add_index(kByController, by_controller);
}

std::vector<json::Value> candidates_of(const kube::Informer& children, const json::Value& owner) {
  auto found = children.list_index(kByController, uid_of(owner));
  auto orphans = children.list_index(kByController, "orphan/" + namespace_of(owner));
  found.insert(found.end(), orphans.begin(), orphans.end());
  return found;
}

}  // namespace skiff::control
